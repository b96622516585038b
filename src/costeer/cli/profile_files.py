"""``costeer profile``: files in and out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from costeer.cli.profile_access import access_options, open_profile, second_passphrase
from costeer.cli.terminal import clean

if TYPE_CHECKING:
    from costeer.profile.importers.read import Report
    from costeer.profile.profiles import Profile

PATH = click.Path(path_type=Path)


@click.command(name="import")
@access_options
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=PATH)
@click.option(
    "--kind",
    type=click.Choice(["preference", "fact", "sample", "document"]),
    help="Of records from text and JSON lines. [document]",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["text", "jsonl", "mbox", "eml", "chat"]),
    help="Of all files. By default each file's own: .txt .md .jsonl .mbox .eml, and .json for the "
    "conversations.json of ChatGPT and Claude.",
)
@click.option("--me", multiple=True, metavar="ADDRESS", help="Your mail address; repeatable.")
@click.option("--dry-run", is_flag=True, help="Only say what it would do.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def import_files(
    name: str,
    passphrase_fd: int | None,
    paths: tuple[Path, ...],
    kind: str | None,
    file_format: str | None,
    me: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Import files and folders. Twice the same adds nothing; the files stay as they are.

    Of mail, only what you sent is taken, without quotes and signatures; of chats, only what you
    wrote on the branch shown last. Both become writing samples. Long texts become passages.

    \b
    Examples:
      costeer profile import ~/notes --dry-run
      costeer profile import facts.txt --kind fact          a record a paragraph
      costeer profile import Sent.mbox --me anna@example.org
      costeer profile import conversations.json
    """
    from costeer.profile.importers.read import as_format, import_into, read
    from costeer.profile.records import as_kind

    found = read(
        paths,
        kind=None if kind is None else as_kind(kind),
        file_format=None if file_format is None else as_format(file_format),
        me=me,
    )
    with open_profile(name, passphrase_fd) as profile:
        report = import_into(profile.records, found, dry_run=dry_run)
    if as_json:
        fields = {"read": report.read, "new": report.new, "skipped": dict(report.skipped)}
        click.echo(json.dumps({**fields, "dry_run": dry_run}))
    else:
        _print_report(report, dry_run)


@click.command()
@access_options
@click.argument("file", type=PATH)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["jsonl", "markdown", "sqlcipher"]),
    default="jsonl",
    show_default=True,
    help="In the clear, or an encrypted database that SQLCipher 4 opens without CoSteer.",
)
@click.option("--new-passphrase-fd", type=int, metavar="N", help="For the format sqlcipher.")
@click.option("--yes", is_flag=True, help="Do not ask before writing in the clear.")
def export(
    name: str,
    passphrase_fd: int | None,
    file: Path,
    file_format: str,
    new_passphrase_fd: int | None,
    yes: bool,
) -> None:
    """Write everything into one new file: records, and conversations with all branches.

    \b
    Examples:
      costeer profile export me.jsonl
      costeer profile export me.db --format sqlcipher
      sqlcipher me.db "PRAGMA key = 'the passphrase'; SELECT text FROM records;"
    """
    from costeer.profile import files

    files.refuse_existing(file)
    secret = second_passphrase(new_passphrase_fd) if file_format == "sqlcipher" else ""
    if not secret and not yes:
        click.confirm(f"{file} will not be encrypted. Write it?", abort=True, err=True)
    with open_profile(name, passphrase_fd) as profile, files.new_file(file) as partial:
        _write(profile, partial, file_format, secret)
    click.echo(f"Everything is in {file}.", err=True)


@click.command()
@access_options
@click.argument("folder", type=PATH)
def backup(name: str, passphrase_fd: int | None, folder: Path) -> None:
    """Copy the profile, encrypted as it is, into a new folder; also while it is in use.

    \b
    Examples:
      costeer profile backup /media/stick/backup
      costeer profile init --profile old --from /media/stick/backup
    """
    from costeer.profile import files, profiles

    files.refuse_existing(folder)
    with open_profile(name, passphrase_fd) as profile:
        profiles.backup(profile, folder)
    click.echo(f"The backup is in {folder}; the same passphrase opens it.", err=True)


@click.command()
@access_options
def check(name: str, passphrase_fd: int | None) -> None:
    """Read every page of the database, and compare it with its checksums.

    \b
    Example:
      costeer profile check
    """
    with open_profile(name, passphrase_fd) as profile:
        profile.records.check()
        counts = profile.records.counts()
    for kind, count in sorted(counts.items()):
        click.echo(f"{count:>7,}  {kind}")
    click.echo("Every page matches its checksum.", err=True)


def _write(profile: Profile, target: Path, file_format: str, secret: str) -> None:
    from costeer.profile.export import jsonl, markdown

    if file_format == "sqlcipher":
        profile.database.export_to(target, secret)
        return
    lines = jsonl(profile) if file_format == "jsonl" else markdown(profile)
    with target.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(lines)


def _print_report(report: Report, dry_run: bool) -> None:
    new = f"{report.new:,} {'would be' if dry_run else 'are'} new"
    click.echo(f"{report.read:,} records read, {new}.")
    for reason, count in report.skipped.most_common():
        example = report.examples[reason]
        click.echo(clean(f"Left out: {count:,}, {reason} ({example})." if example else reason))
