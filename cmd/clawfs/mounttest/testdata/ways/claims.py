"""Of several processes that create, remove or rename away one name one succeeds."""
import multiprocessing
import os

NAMES, PROCESSES = 40, 4


def create(i, n):
    fd = os.open(f"claim-{n}.json", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    os.write(fd, b'{"owned": true}')
    os.close(fd)


def create_and_keep_empty(i, n):
    os.close(os.open(f"lock-{n}.json", os.O_CREAT | os.O_EXCL | os.O_WRONLY))


def link(i, n):
    os.link(f"mine-{i}", f"linked-{n}.json")


def make(i, n):
    """A file, a directory and a link compete."""
    [lambda: create(i, f"any-{n}"), lambda: os.mkdir(f"claim-any-{n}.json"), lambda: os.symlink("x", f"claim-any-{n}.json")][i % 3]()


def unlink(i, n):
    os.unlink(f"job-{n}.json")


def rename(i, n):
    os.rename(f"task-{n}.json", f"task-{n}.{i}.json")


def rename_away(i, n):
    os.rename(f"todo-{n}.json", f"todo-{n}.{i}")


def rename_over(i, n):
    os.rename(f"next-{n}.json", f"worker-{i}.json")


def any_way(i, n):
    [lambda: os.unlink(f"all-{n}.json"), lambda: os.rename(f"all-{n}.json", f"all-{n}.{i}.json"), lambda: os.rename(f"all-{n}.json", f"all-{n}.{i}")][i % 3]()


def claim(how, i, barrier, won):
    barrier.wait()
    for n in range(NAMES):
        try:
            how(i, n)
            won.put(n)
        except (FileExistsError, FileNotFoundError):
            pass
    won.put(None)


for n in range(NAMES):
    for kind in ("job", "task", "todo", "next", "all"):
        with open(f"{kind}-{n}.json", "w", encoding="utf-8") as f:
            f.write('{"to": "x"}')
for i in range(PROCESSES):
    with open(f"mine-{i}", "w", encoding="utf-8") as f:
        f.write('{"owned": true}')
    with open(f"worker-{i}.json", "w", encoding="utf-8") as f:
        f.write('{"to": "x"}')
for how in (create, create_and_keep_empty, link, make, unlink, rename, rename_away, rename_over, any_way):
    barrier, won = multiprocessing.Barrier(PROCESSES), multiprocessing.Queue()
    processes = [multiprocessing.Process(target=claim, args=(how, i, barrier, won)) for i in range(PROCESSES)]
    for p in processes:
        p.start()
    names, ended = [], 0
    while ended < PROCESSES:
        n = won.get(timeout=30)
        if n is None:
            ended += 1
        else:
            names.append(n)
    for p in processes:
        p.join()
    print(how.__name__, len(names), len(set(names)))
# Who has won is a matter of chance.
for name in os.listdir("."):
    if name.split("-")[0] in ("task", "todo", "all", "claim", "mine", "linked"):
        (os.rmdir if os.path.isdir(name) and not os.path.islink(name) else os.unlink)(name)
