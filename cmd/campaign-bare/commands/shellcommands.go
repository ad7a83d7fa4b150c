package commands

import (
	"fmt"
	"strings"
)

// command is one thing that somebody types.
func (g *generator) command() Step {
	f := g.file()
	choice := g.weighted([]int{26, 34, 6, 8, 8, 6, 8, 3, 12, 2, 2, 3, 1})
	switch choice {
	case 0:
		return g.put(f)
	case 1:
		return g.edit(f)
	case 2:
		g.backup = true
		return Step{Class: classBackup, Text: g.pick("cp "+f+" "+f+".bak", "cp -p "+f+" "+f+".bak", "test -e "+f+" && cat "+f+" > "+f+".bak")}
	case 3:
		if !g.backup {
			return g.put(f)
		}
		return Step{Class: classRestore, Text: g.pick("cp "+f+".bak "+f, "mv "+f+".bak "+f, "cat "+f+".bak > "+f, "rsync -a "+f+".bak "+f)}
	case 4:
		return g.gitCommand(f)
	case 5:
		return g.tarCommand()
	case 6:
		return g.remove(f)
	case 7:
		return Step{Class: classMove, Text: g.pick("mv a.json b.json", "mv b.json a.json", "mv a.json t.tmp && mv b.json a.json && mv t.tmp b.json", "mv a.json a.old && cp a.old a.json")}
	case 8:
		return g.look(f)
	case 9:
		return Step{Class: classMode, Text: "chmod " + g.pick("600", "640", "644") + " " + f}
	case 10:
		return Step{Class: classOver, Text: python("peek "+f, "reset", "save "+f+" "+g.pick("inplace", "rename", "unlink"))}
	}
	if choice == 12 {
		return Step{Class: classTouch, Text: g.pick("touch "+f, "touch "+f+" && chmod 600 "+f, ": >> "+f, "install -m 600 /dev/null new.json", "mktemp -q ./XXXX --suffix=.json > /dev/null && rm -f ./????.json")}
	}
	return Step{Class: classMake, Text: `make -s -f "$K/Makefile" ` + g.pick("clean", "clean all", "all")}
}

// put writes a document over any file or none.
func (g *generator) put(f string) Step {
	from := g.pick("default.json", "default.json", "default.json", "pretty.json", "small.json", "new.json", "other.json")
	k := `"$K/` + from + `"`
	echo := "echo '" + strings.ReplaceAll(documents[from], "\n", " ") + "' > " + f
	text := g.pick(
		echo, echo,
		"cp "+k+" "+f, "cp "+k+" "+f, "cp "+k+" "+f,
		"cp -p "+k+" "+f,
		"cp --remove-destination "+k+" "+f,
		"cat "+k+" > "+f,
		"install -m 644 "+k+" "+f,
		"dd if="+k+" of="+f+" status=none",
		"tee "+f+" < "+k+" > /dev/null",
		"rsync -a "+k+" "+f,
		"rsync -a --inplace "+k+" "+f,
		`cp `+k+` "$K/m" && mv "$K/m" `+f,
		"tar -C \"$K\" -cf - "+from+" | tar -xOf - > "+f,
		python("reset", "save "+f+" "+g.pick("inplace", "rename")),
	)
	return Step{Class: classPut, Text: text}
}

func jqMove(f, filter string) string {
	return fmt.Sprintf("jq -c '%s' %s > %s.tmp && mv %s.tmp %s", filter, f, f, f, f)
}

// python is a program that does one line of edit.py and ends.
func python(operations ...string) string {
	return `$PY "$K/edit.py" "$D" '` + strings.Join(operations, "; ") + "'"
}

// edit changes the file that is there.
func (g *generator) edit(f string) Step {
	if g.IntN(3) == 0 {
		return Step{Class: classEdit, Text: g.editByProgram(f)}
	}
	swap := g.pick(`s/80/85/`, `s/85/80/`, `s/"debug": *false/"debug":true/`, `s/"debug": *true/"debug":false/`, `s/hello/hi/`, `s/"hi"/"hello"/`)
	filter := g.pick(`.port=85`, `.port=80`, `.welcome="hi"`, `.debug=true`, `.entries += [{"id":"`+g.id()+`"}]`, `del(.entries[0])`, `del(.jobs.j1)`,
		`.jobs.j1.state="running"`, `.rev += 1`, `del(.welcome)`)
	text := g.pick(
		"sed -i '"+swap+"' "+f, "sed -i '"+swap+"' "+f, "sed -i '"+swap+"' "+f,
		"sed -i.bak '"+swap+"' "+f,
		"perl -pi -e '"+swap+"' "+f,
		jqMove(f, filter), jqMove(f, filter), jqMove(f, filter),
		fmt.Sprintf(`jq '%s' %s > "$K/j" && cp "$K/j" %s`, filter, f, f),
		fmt.Sprintf(`jq '%s' %s > "$K/j" && cat "$K/j" > %s`, filter, f, f),
		fmt.Sprintf(`jq -c '%s' %s > "$K/j" && mv "$K/j" %s`, filter, f, f),
		fmt.Sprintf("jq '%s' %s | sponge %s", filter, f, f),
		fmt.Sprintf("vim -N -u NONE -i NONE -n -es -c 'set backupcopy=%s' -c '%%%se' -c 'wq' %s", g.pick("yes", "no", "auto"), swap, f),
	)
	return Step{Class: classEdit, Text: text}
}

// editByProgram is a program that reads, changes and writes, and ends.
func (g *generator) editByProgram(f string) string {
	job := g.pick("j1", "j2")
	line := g.pick(
		"load "+f+"; "+g.change()+"; save "+f+" "+g.way(),
		"load "+f+"; "+g.change()+"; save "+f+" "+g.way(),
		"peek "+f+"; load "+f+"; "+g.change()+"; save "+f+" "+g.way(),
		"load "+f+"; peek "+f+"; "+g.change()+"; save "+f+" "+g.way()+"; "+g.change()+"; save "+f+" "+g.way(),
		"load "+f+"; load "+f+"; mark "+job+"; save "+f+" "+g.way()+"; done "+job+"; save "+f,
		"load "+f+"; keep; "+g.change()+"; save "+f+"; back; save "+f+" "+g.way(),
	)
	if g.IntN(5) == 0 {
		return `node "$K/edit.mjs" ` + g.pick("sync", "async") + ` "$D" '` + line + "'"
	}
	return python(line)
}

func (g *generator) gitCommand(f string) Step {
	text := "git init -q && git config gc.auto 0 && git add -A && git commit -qm one"
	switch {
	case !g.git:
		g.git = true
	case g.stashed:
		g.stashed = false
		text = "git stash pop -q"
	default:
		n := g.IntN(8)
		g.stashed = n == 0
		text = []string{"git stash -q", "git checkout -q -- .", "git checkout -q -- " + f, "git add -A && git commit -qm more", "git reset -q --hard",
			"git commit -qam more; git checkout -q HEAD~1 -- " + f, "git status --porcelain",
			"git checkout -qb side && git commit -q --allow-empty -m side && git checkout -q - && git rebase -q side; git branch -qD side"}[n]
	}
	return Step{Class: classGit, Text: text}
}

func (g *generator) tarCommand() Step {
	if !g.tar {
		g.tar = true
		return Step{Class: classTar, Text: "tar cf all.tar *.json"}
	}
	return Step{Class: classTar, Text: g.pick("tar xf all.tar", "tar xf all.tar", "tar xf all.tar --overwrite", "tar xf all.tar --unlink-first")}
}

func (g *generator) remove(f string) Step {
	switch g.IntN(4) {
	case 0:
		return Step{Class: classRemove, Text: "rm -f " + f + "; cp \"$K/default.json\" " + f}
	case 1:
		return Step{Class: classRemoveAll, Text: `rm -rf state; mkdir state; cp "$K/default.json" state/c.json`}
	}
	return Step{Class: classRemove, Text: "rm -f " + f}
}

func (g *generator) look(f string) Step {
	if g.IntN(3) == 0 {
		return Step{Class: classLookAll, Text: g.pick("ls -A", "cat *.json", "grep -c . *.json", "stat -c '%a %s %h %n' *.json", "wc -c *.json")}
	}
	return Step{Class: classLook, Text: g.pick("cat "+f, "jq -c .port "+f, "stat -c '%a %s %h' "+f, "head -c 40 "+f, "test -e "+f, "diff "+f+` "$K/default.json"`)}
}
