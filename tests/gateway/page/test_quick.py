from tests.support.page import *
import json
def test_quick(tmp_path):
    with running_page(tmp_path, text="I am vegan.") as page:
        print(page("GET","/state"))
        c = page.new()
        ev = page.ask(c, text="Hello there?")
        print(ev[0], json.dumps(ev[1])[:600], ev[-1])
        got = page.get(c)
        print(json.dumps(got)[:500])
        a = ev[-1]["message"]
        print(page("GET", f"/messages/{a}/ledger"))
        t = tokens_of(ev)[3]
        other = next(one[0] for one in t["after"] if one[0] != t["id"] and one[0]<256)
        ev2 = page.ask(c, **{"continue": a, "position": 3, "token": other})
        print(repr(text_of(ev)), repr(text_of(ev2)), ev2[-1])
        ev3 = page.ask(c, regenerate=a)
        print(repr(text_of(ev3)))
        ev4 = page.ask(c, regenerate=a, alone=True)
        print(repr(text_of(ev4)), ev4[0], ev4[-1])
        print(page("GET","/records"), page("GET","/conversations"))
        assert 0
