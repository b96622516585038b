"""``costeer profile``: making and removing profiles, and who may open them."""

from __future__ import annotations

import json
from pathlib import Path

import click

from costeer.cli.profile_access import (
    access_options,
    ask,
    new_passphrase,
    read_key,
    second_passphrase,
)

RECOVERY = (
    "This recovery code opens the profile when the passphrase is forgotten. It is shown only now\n"
    "and kept nowhere: write it down."
)


@click.command()
@access_options
@click.option(
    "--keyring/--no-keyring",
    default=True,
    help="Let the system's keyring open it, so that you are not asked each time.",
)
@click.option(
    "--from",
    "backup",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Restore a backup; its own passphrase goes on to open it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def init(
    name: str, passphrase_fd: int | None, keyring: bool, backup: Path | None, as_json: bool
) -> None:
    """Make a profile, and show its recovery code once.

    The profile lies in COSTEER_PROFILES, or in the platform's folder for data.

    \b
    Examples:
      costeer profile init
      costeer profile init --profile work --no-keyring
      costeer profile init --profile old --from /media/stick/backup
    """
    from costeer.profile import files, profiles

    files.make_folder(profiles.folder_of(name).parent)
    files.refuse_existing(profiles.folder_of(name))
    code = ""
    if backup is not None:
        profiles.restore(name, backup)
    else:
        secret = new_passphrase(passphrase_fd)
        code = profiles.create(name, secret)
        keyring = keyring and _put_into_keyring(name, profiles.read_key(name, secret))
    folder = str(profiles.folder_of(name))
    if as_json:
        fields = {"profile": name, "folder": folder, "recovery_code": code, "keyring": keyring}
        click.echo(json.dumps(fields))
        return
    click.echo(f"The profile {name} is in {folder}.", err=True)
    if code:
        click.echo(RECOVERY, err=True)
        click.echo(code)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def names(as_json: bool) -> None:
    """List the profiles on this device.

    \b
    Example:
      costeer profile names
    """
    from costeer.profile import profiles

    found = profiles.names()
    click.echo(json.dumps(found) if as_json else "\n".join(found), nl=as_json or bool(found))


@click.command()
@access_options
def lock(name: str, passphrase_fd: int | None) -> None:
    """Ask for the passphrase from now on: remove the key from the system's keyring.

    \b
    Example:
      costeer profile lock
    """
    del passphrase_fd  # no key is needed
    from costeer.profile import profiles
    from costeer.profile.keyring_entry import NoKeyring

    try:
        profiles.lock(name)
    except NoKeyring as error:
        click.echo(f"{error} What it still holds opens nothing any more.", err=True)
    click.echo(f"The profile {name} is locked.", err=True)


@click.command()
@access_options
def unlock(name: str, passphrase_fd: int | None) -> None:
    """Let the system's keyring open the profile, so that you are not asked each time.

    \b
    Example:
      costeer profile unlock
    """
    if _put_into_keyring(name, read_key(name, passphrase_fd)):
        click.echo(f"The system's keyring opens the profile {name}.", err=True)
    else:
        raise SystemExit(1)


@click.command()
@access_options
@click.option(
    "--recovery", is_flag=True, help="The passphrase is forgotten: use the recovery code."
)
@click.option("--new-passphrase-fd", type=int, metavar="N", help="Where the new one comes from.")
def passphrase(
    name: str, passphrase_fd: int | None, recovery: bool, new_passphrase_fd: int | None
) -> None:
    """Change the passphrase; a new recovery code takes the place of the old one.

    Backups made before keep the passphrase and the code that they were made with.

    \b
    Examples:
      costeer profile passphrase
      costeer profile passphrase --recovery
    """
    from costeer.profile import profiles

    profiles.find(name)
    if recovery:
        key = profiles.read_key(name, ask("Recovery code: "), "recovery")
    else:
        key = read_key(name, passphrase_fd)
    code = profiles.change_passphrase(name, key, second_passphrase(new_passphrase_fd))
    click.echo(f"The passphrase is changed.\n{RECOVERY}", err=True)
    click.echo(code)


@click.command()
@access_options
@click.option("--yes", is_flag=True, help="Do not ask.")
def wipe(name: str, passphrase_fd: int | None, yes: bool) -> None:
    """Remove a profile for good, its key first. Needs no passphrase; backups stay.

    \b
    Example:
      costeer profile wipe --profile work
    """
    del passphrase_fd
    from costeer.profile import profiles

    profiles.find(name)
    if not yes and click.prompt(f"Type {name} to remove it for good", err=True) != name:
        raise click.Abort
    profiles.wipe(name)
    click.echo(f"The profile {name} is removed.", err=True)


def _put_into_keyring(name: str, key: bytes) -> bool:
    """Whether that worked; says why not."""
    from costeer.profile import profiles
    from costeer.profile.keyring_entry import NoKeyring

    try:
        profiles.unlock(name, key)
    except NoKeyring as error:
        click.echo(f"{error} You will be asked for the passphrase each time.", err=True)
        return False
    return True
