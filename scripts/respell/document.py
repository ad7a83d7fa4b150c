"""document.py base FILE | edit FILE | compare FILE HEAD

The document that the writers of the campaign read, what another program makes of it
meanwhile, and whether only the writer's own member was added to that."""
import json
import re
import sys

BASE = '''{
  "version": 3,
  "enabled": false,
  "rate": 0.12345678901234567,
  "price": 19.90,
  "ratio": 1.1,
  "third": 0.1,
  "tiny": 1e-7,
  "owner": 1139604391234568219,
  "models": {
    "a": { "temperature": 0.7, "topP": 0.95 },
    "b": { "temperature": 0.1 },
    "c": { "temperature": 0.30000000000000004 }
  },
  "chats": [
    { "id": 1139604391234568219, "title": "one", "seen": 1732818300.123456 },
    { "id": 1139604398871234599, "title": "two", "seen": 1732818301.2345671 },
    { "id": 1139604402225558731, "title": "three", "seen": 1732818302.5 },
    { "id": 1139604409999999983, "title": "four", "seen": 0 }
  ],
  "samples": [0.1, 0.2, 21.7, 0.30000000000000004],
  "sessions": {},
  "plugins": {
    "a": { "options": {} },
    "b": { "options": {} }
  },
  "queue": [],
  "slots": { "0": "left", "1": "right" },
  "settings": { "theme": null, "proxy": null, "editor": "vim", "note": null },
  "users": [
    { "id": 987654321098765433, "name": "Ada", "boss": null, "score": 0.8700000000000001 },
    { "id": 987654321098765531, "name": "Bob", "boss": null, "score": 0.1 },
    { "id": 987654321098765629, "name": "Cyd", "boss": null, "score": 52.520006599999995 }
  ],
  "messages": [
    { "role": "user", "content": "hello", "cost": 0.00012345678901 },
    { "role": "assistant", "content": "h\\u00e9llo", "cost": 0.1 }
  ],
  "tags": ["x", "y"],
  "place": { "latitude": 52.5200066, "longitude": 13.4049541 },
  "createdAt": "2024-11-28T20:05:00+00:00",
  "runs": {
    "r1": { "at": "2024-11-28T20:05:00.500+00:00", "ok": true },
    "r2": { "at": "2024-11-29T08:00:00.250+00:00", "ok": false }
  }
}
'''

# The other program: fourteen ordinary edits.
EDITS = [
    ('"enabled": false', '"enabled": true'),
    ('19.90', '20.50'),
    ('"temperature": 0.7,', '"temperature": 0.9,'),
    ('    "b": { "temperature": 0.1 },\n', ''),
    ('"title": "one"', '"title": "renamed"'),
    ('    { "id": 1139604398871234599, "title": "two", "seen": 1732818301.2345671 },\n', ''),
    ('[0.1, 0.2, 21.7, 0.30000000000000004]', '[0.2, 21.7, 0.30000000000000004, 0.4]'),
    ('"sessions": {}', '"sessions": { "s1": { "user": 7 } }'),
    ('    "a": { "options": {} },\n', ''),
    ('"queue": []', '"queue": ["job"]'),
    ('"theme": null', '"theme": "dark"'),
    (',\n    { "id": 987654321098765531, "name": "Bob", "boss": null, "score": 0.1 }', ''),
    ('"cost": 0.1 }\n', '"cost": 0.1 },\n    { "role": "user", "content": "bye", "cost": 0.5 }\n'),
    ('20:05:00.500+00:00', '21:06:00.500+00:00'),
]

TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([-+0-9.eE]+)|(true|false|null)|([][{},:]))')


def parse(text):
    """Parses into spelled scalars, and (bracket, members) with members in order."""
    tokens = [m.group().strip() for m in TOKEN.finditer(text)]
    at = 0

    def value():
        nonlocal at
        token = tokens[at]
        at += 1
        if token not in '{[':
            return token
        end, out = ('}', []) if token == '{' else (']', [])
        while tokens[at] != end:
            if token == '{':
                key = json.loads(tokens[at])
                at += 2
                out.append((key, value()))
            else:
                out.append((len(out), value()))
            if tokens[at] == ',':
                at += 1
        at += 1
        return (token, out)
    return value()


def text_of(v):
    if v is None:
        return 'absent'
    if isinstance(v, str):
        return v
    inside = ','.join(('"%s":' % k if v[0] == '{' else '') + text_of(x) for k, x in v[1])
    return v[0] + inside + {'{': '}', '[': ']'}[v[0]]


def differences(got, want, path, out):
    if not (isinstance(got, tuple) and isinstance(want, tuple) and got[0] == want[0]):
        if got != want:
            out.append('%s is %s, not %s' % (path, text_of(got), text_of(want)))
        return
    x, y = dict(got[1]), dict(want[1])
    if got[0] == '[' and len(x) != len(y):
        out.append('%s is %s, not %s' % (path, text_of(got), text_of(want)))
        return
    for k in list(y) + [k for k in x if k not in y]:
        differences(x.get(k), y.get(k), '%s/%s' % (path, k), out)
    if [k for k in x if k in y] != [k for k in y if k in x]:
        out.append('%s: the order of members' % path)


def compare(file, head):
    got, want = (parse(open(f, newline='', encoding='utf-8').read()) for f in (file, head))
    out = []
    if 'added' not in dict(got[1]):
        out.append('the member is lost')
    differences(('{', [m for m in got[1] if m[0] != 'added']), want, '', out)
    if out:
        print('; '.join(d if len(d) < 160 else d[:150] + '…' for d in out))
        return 1
    return 0


def main(verb, file, *more):
    if verb == 'base':
        open(file, 'w', newline='').write(BASE)
    elif verb == 'edit':
        text = open(file, newline='').read()
        for old, new in EDITS:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        open(file, 'w', newline='').write(text)
    else:
        sys.exit(compare(file, *more))


if __name__ == '__main__':
    main(*sys.argv[1:])
