import decimal, importlib, sys
file, library = sys.argv[1:]
name, _, how = library.partition(':')
json = importlib.import_module(name)
text = open(file, encoding='utf-8', errors='surrogatepass').read()
if how == 'decimal':
    value = json.loads(text, use_decimal=True)
elif how == 'round':
    value = json.loads(text, parse_float=lambda s: round(float(s), 6))
elif name == 'yaml':
    value = json.safe_load(text)
    json = importlib.import_module('json')
else:
    value = json.loads(text)
print('ready', flush=True)
sys.stdin.readline()
value['added'] = 1
with open(file, 'w', encoding='utf-8') as out:
    out.write(json.dumps(value, use_decimal=True) if how == 'decimal' else json.dumps(value))
