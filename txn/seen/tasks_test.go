package seen

import "testing"

// Several tasks of a process: two readings that overlap, or two writes, prove them. Their
// readings count till writes have used them up.
func TestTasksOfAProcess(t *testing.T) {
	tellStories(t, []story{
		// Readings that overlap.
		{"a opens 1; a opens 2; a reads A by 1; x writes B; a reads B by 2; a writes C from A", "a", "task read B, wrote C, memory, last C"},
		{"a reads A; x writes B; a reads B; a writes C from A", "a", "wrote C, alone, memory, last C"},
		{"a opens 1; a opens 2; a reads A by 1; x writes B; a reads B by 2; a writes C from A; wait 31", "a", "wrote C, alone, memory, last C"},
		{"a opens 1; a opens 2; a reads A by 1; x writes B; a reads B by 2; a writes C from A; a writes D from B", "a", "wrote D, alone, memory, last D"},
		{"a opens 1; a opens 2; a reads A by 1; a reads A by 2; x writes B; a reads B; a writes C from A", "a", "task read A, wrote C, memory, last C"},
		{"a reads A; a reads A; x writes B; a reads B; a writes C from A", "a", "wrote C, alone, memory, last C"},
		{"a opens 1; a reads A by 1; a opens 2; a reads A by 2; a opens 3; a reads A by 2; a reads A by 3; a writes C from A", "a", "task read A, wrote C, memory, last C"},
		{"a opens 1; a opens 2; a reads A by 1; a reads A by 2; a reads A; a writes C from A", "a", "task read A, wrote C, memory, last C"},
		{"a opens 1; a opens 2; a reads A by 1; a reads A by 2; b redirects B from A; c redirects C from A; a reads A; a reads A; a writes D from A", "a", "wrote D, alone, memory, last D"},
		{"a opens 1; a opens 2; a reads A by 1; x writes B; a reads B by 2; a writes C from A", "a began 2", "memory"},

		{"a opens 1; a opens 2; a opens 3; a reads A by 1; x writes B; a reads B by 2; x writes A; a reads A by 3; a writes C from A", "a", "task read A, task read B, wrote C, memory, last C"},
		{"a opens 1; a opens 2; a reads A by 1; x writes B; a reads B by 2; a writes A from B; a writes C from A", "a", "wrote C, alone, memory, last C"},
		{"a opens 1; a opens 2; a reads A by 1; x writes B; a reads B by 2; a writes C from B; a opens 9; a writes D from A", "a began 9", "task read A, wrote C, memory, last C"},
		{"a reads A; a writes W from A; a opens 9; a begins 1; a begins 2; a writes D by 1; a writes E by 2", "a began 9", "wrote W, alone, memory, last W"},

		// Writes that overlap.
		{"a reads A; a begins 1; a begins 2; a writes B from A by 1; a writes C from A by 2", "a", "late read A, wrote C, memory, last C"},
		{"a reads A; a writes B from A; a writes C from B", "a", "wrote C, alone, memory, last C"},
		{"a reads A; a begins 1; a begins 2; a writes B from A by 1; a writes C from A by 2; wait 6", "a", "wrote C, alone, memory, last C"},
		{"a reads A; a begins 1; a begins 2; a writes B from A by 1; a writes C from A by 2; a writes D from A", "a", "late read A, wrote D, memory, last D"},
		{"a reads A; a begins 1; a begins 2; a writes B from A by 1; a writes C from A by 2; a writes D from C", "a", "wrote D, alone, memory, last D"},
		{"none a asks 1; a begins 1; a begins 2; a writes A from nothing by 1; a writes B from nothing by 2", "a", "late saw nothing, wrote B, memory, last B"},
		{"a writes A; a begins 1; a begins 2; a writes B from A by 1; a writes C from A by 2", "a", "late wrote A, wrote C, memory, last C"},
		{"a begins 1; a begins 2; a writes A by 1; a writes B by 2", "a", "wrote B, alone, memory, last B"},
		{"a reads A; a begins 1; a begins 2; a writes B from A by 1; a writes C from A by 2; f reads C", "f", "late read A, read C, wrote C, memory, last C"},
		{"a reads A; x writes B; a reads B; a begins 1; a begins 2; a writes C from B by 1; a writes D from B by 2", "a", "late read B, task read A, wrote D, memory, last D"},
		{"a reads A; x writes B; a reads B; a writes C from B beside", "a", "late read B, task read A, wrote C, memory, last C"},
		{"a reads A; a opens 1; x writes B; a reads B; a writes C from A until 1 beside", "a", "late read A, wrote C, memory, last C"},

		// A write that began before others of its process were written.
		{"a reads A; a opens 1; a writes B from A", "a opened 1", "read A, memory"},
		{"a reads A; a opens 1; x writes X; a puts B", "a opened 1", "read A, alone, memory"},
		{"a reads A; a opens 1; a puts B; x writes X", "a opened 1", "read A, memory"},
		{"a reads A; a writes B from A; a opens 1", "a opened 1", "wrote B, alone, memory, last B"},

		{"a reads A; a opens 1; x writes X; a puts B merged", "a opened 1", "read A, memory"},
		{"a reads A; a writes B; a opens 1; a puts C; x writes X", "a opened 1", "wrote B, memory, last B"},

		// Readings later than the first write count for the next one.
		{"a reads A; a opens 1; x writes B; a reads B", "a began 1", "read A, memory"},
		{"a opens 1; a reads A", "a began 1", "memory"},
		{"a reads A; a opens 1; a removes -", "a began 1", "read A, alone, memory"},
		{"a reads A; a removes -; a writes B", "a", "wrote B, alone, memory, last B"},
		{"nobody reads A; nobody opens 1; nobody reads B", "nobody began 1", "task read A, memory"},

		// Readings of a process that has never written: the first, the newest, and young ones.
		{"a reads A; x writes B; a reads B; wait 40; x writes C; a reads C", "a", "read A, read C, memory"},
		{"a reads A; x writes B; a reads B; wait 40", "a", "read A, read B, memory"},
		{"a reads A; x writes B; a reads B; wait 25; a reads B; x writes C; a reads C; wait 10", "a", "read A, read B, read C, memory"},
		{"a writes A; a reads A; x writes B; a reads B; wait 40; x writes C; a reads C", "a", "read C, wrote A, memory, last A, read since"},

		{"a writes Z; a reads A; wait 31; a opens 1; a reads B", "a began 1", "read A, wrote Z, alone, memory, last Z, read since"},
		{"a opens 1; x writes B; a reads A by 1", "a", "read A, memory"},
		{"a reads A; x writes B; a reads A", "a", "read A, memory"},
		{"a reads A; a writes A", "a", "wrote A, alone, memory, last A"},

		// A redirection after a reading; a change that nobody has made.
		{"a reads A; a redirects B; x writes C", "a", "wrote B, memory, last B"},
		{"a reads A; found", "a", "read A, memory"},
		{"found; a reads A; a writes B", "a", "wrote B, alone, memory, last B"},
	})
}
