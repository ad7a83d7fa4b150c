# One process changes for what file a name stands, in many ways, and then saves a registry
# as it has it in memory: that is what the registry holds.
import ctypes
import json
import os
import shutil

libc = ctypes.CDLL(None, use_errno=True)


def exchange(a, b):
    if libc.renameat2(-100, a.encode(), -100, b.encode(), 2):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def load(path):
    with open(path) as f:
        return json.load(f)


def in_place(path, value):
    with open(path, "w") as f:
        json.dump(value, f)


def by_rename(path, value):
    in_place(path + ".tmp", value)
    os.rename(path + ".tmp", path)


def directory_after_a_look(save):
    os.path.exists("e/s.json")
    os.rename("d", "e")
    save("e/s.json", {"new": 1})


def directories(save):
    os.mkdir("e")
    save("e/s.json", {"e": 1})
    load("d/s.json")
    exchange("d", "e")
    save("d/s.json", {"old": 2})
    save("e/s.json", {"z": 1})


def directories_and_back(save):
    os.mkdir("e")
    exchange("d", "e")
    save("d/s.json", {"old": 2})
    exchange("d", "e")
    save("d/s.json", {"y": 2})


def directory_and_registry(save):
    save("f.json", {"f": 1})
    load("d/s.json")
    exchange("d", "f.json")
    in_place("d", {"g": 1})
    save("f.json/s.json", {"h": 1})
    exchange("d", "f.json")
    save("d/s.json", {"i": 1})
    save("f.json", {"j": 1})


def directory_and_plain_file(save):
    in_place("p", {"p": 1})
    os.rename("d", "d.json")
    load("d.json/s.json")
    exchange("p", "d.json")
    save("d.json", {"q": 1})
    in_place("p/s.json", {"r": 1})
    exchange("d.json", "p")
    save("d.json/s.json", {"s": 1})


def out_of_sight(save):
    os.mkdir("node_modules")
    save("d/s.json", {"o": 1})
    os.rename("d", "node_modules/d")
    in_place("node_modules/d/s.json", {"p": 2})
    os.rename("node_modules/d", "d")
    save("d/s.json", {"q": 1})


def exchanged_out_of_sight(save):
    os.mkdir("node_modules")
    in_place("node_modules/s.json", {"p": 1})
    load("d/s.json")
    exchange("node_modules", "d")
    save("d/s.json", {"q": 1})
    exchange("node_modules", "d")
    save("d/s.json", {"r": 1})


def registries(save):
    save("t.json", {"t": 1})
    load("d/s.json")
    exchange("t.json", "d/s.json")
    save("d/s.json", {"q": 1})
    save("t.json", {"r": 1})


def plain_file(save):
    in_place("p", {"p": 1})
    load("d/s.json")
    exchange("p", "d/s.json")
    save("d/s.json", {"q": 1})


def plain_file_by_another(save):
    in_place("p", {"p": 1})
    load("d/s.json")
    if os.fork() == 0:
        exchange("p", "d/s.json")
        os._exit(0)
    os.wait()
    save("d/s.json", {"q": 1})


def plain_file_and_back(save):
    in_place("p", {"p": 1})
    load("d/s.json")
    exchange("p", "d/s.json")
    in_place("p", {"p": 2})
    exchange("p", "d/s.json")
    save("d/s.json", {"q": 1})


def symbolic_link(save):
    os.symlink("nowhere", "l")
    load("d/s.json")
    exchange("l", "d/s.json")
    in_place("l", {"p": 2})
    exchange("l", "d/s.json")
    save("d/s.json", {"q": 1})


def over_a_symbolic_link(save):
    load("d/s.json")
    os.symlink("nowhere", "l")
    os.rename("l", "d/s.json")
    in_place("p", {"p": 1})
    os.rename("p", "d/s.json")
    save("d/s.json", {"q": 1})


def fifo(save):
    os.mkfifo("l")
    load("d/s.json")
    exchange("l", "d/s.json")
    save("l", {"m": 1})
    exchange("d/s.json", "l")
    save("d/s.json", {"q": 1})


def aside_and_back(save):
    save("d/s.json", {"o": 1})
    os.rename("d/s.json", "p")
    in_place("p", {"p": 2})
    os.rename("p", "d/s.json")
    save("d/s.json", {"q": 1})


def found(top):
    for at, _, names in os.walk(top):
        for name in names:
            path = os.path.join(at, name)
            if os.path.isfile(path):
                yield path, load(path)


for way in (directory_after_a_look, directories, directories_and_back, directory_and_registry, directory_and_plain_file,
            out_of_sight, exchanged_out_of_sight, registries, plain_file, plain_file_by_another, plain_file_and_back, symbolic_link,
            over_a_symbolic_link, fifo, aside_and_back):
    for save in in_place, by_rename:
        top = way.__name__ + "-" + save.__name__
        os.mkdir(top)
        os.chdir(top)
        os.mkdir("d")
        save("d/s.json", {"old": 1, "both": 1})
        way(save)
        os.chdir("..")
        print(sorted(found(top)))
        shutil.rmtree(top)
