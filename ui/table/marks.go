package table

func (t *body[T]) mark(id string) {
	t.marked[id] = true
	t.picked = nil
}

func (t *body[T]) unmark(id string) {
	delete(t.marked, id)
	t.picked = nil
}

// toggleMark marks the row under the cursor, or takes the mark off, and moves on.
func (t *body[T]) toggleMark() {
	if t.current == "" {
		return
	}
	t.anchor = t.current
	if t.marked[t.current] {
		t.unmark(t.current)
	} else {
		t.mark(t.current)
	}
	t.move(1)
}

// toggleAll marks every row that shows, or none of them when all are.
func (t *body[T]) toggleAll() {
	all := true
	for i := range t.shown.order {
		id := t.spec.ID(*t.shown.at(i))
		all = all && t.marked[id]
	}
	for i := range t.shown.order {
		id := t.spec.ID(*t.shown.at(i))
		if all {
			t.unmark(id)
		} else {
			t.mark(id)
		}
	}
}

// markRange marks from the row marked last to the cursor.
func (t *body[T]) markRange() {
	if t.current == "" {
		return
	}
	from := t.find(t.anchor)
	if from < 0 {
		from = t.cursor
	}
	for i := min(from, t.cursor); i <= max(from, t.cursor); i++ {
		t.mark(t.spec.ID(*t.shown.at(i)))
	}
	t.anchor = t.current
}

// extendMark marks the row under the cursor, moves and marks that one too.
func (t *body[T]) extendMark(n int) {
	if t.current == "" {
		return
	}
	t.mark(t.current)
	t.move(n)
	t.mark(t.current)
	t.anchor = t.current
}

// unmarkVanished takes the marks off rows that are gone.
func (t *body[T]) unmarkVanished() {
	if len(t.marked) == 0 {
		return
	}
	there := make(map[string]bool, len(t.marked))
	for i := range t.all {
		if id := t.spec.ID(t.all[i]); t.marked[id] {
			there[id] = true
		}
	}
	t.marked, t.picked = there, nil
}

// targets are the rows that an action means: the marked ones, also those that
// the filter hides, else the one under the cursor.
func (t *body[T]) targets() []T {
	if len(t.marked) == 0 {
		if row, ok := t.here(); ok {
			return []T{row}
		}
		return nil
	}
	if t.picked == nil {
		t.picked = t.pick()
	}
	return t.picked
}

// pick collects the marked rows as they show, then those that are hidden.
func (t *body[T]) pick() []T {
	rows := make([]T, 0, len(t.marked))
	visible := make(map[string]bool, len(t.marked))
	for i := range t.shown.order {
		row := t.shown.at(i)
		if id := t.spec.ID(*row); t.marked[id] {
			rows, visible[id] = append(rows, *row), true
		}
	}
	for i := range t.all {
		if id := t.spec.ID(t.all[i]); t.marked[id] && !visible[id] {
			rows = append(rows, t.all[i])
		}
	}
	return rows
}
