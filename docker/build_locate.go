package docker

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"gantry/internal/pattern"
)

// instruction is one of a Dockerfile's, with the lines it stands on.
type instruction struct {
	keyword     string // "FROM"
	words       []string
	first, last int
}

// readInstructions reads a Dockerfile with BuildKit's parser. What an
// instruction means, and which ones there are, is left to the engine: its
// frontend may be newer than this parser.
func readInstructions(data []byte) ([]instruction, error) {
	result, err := parser.Parse(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	all := make([]instruction, 0, len(result.AST.Children))
	for _, n := range result.AST.Children {
		in := instruction{keyword: strings.ToUpper(n.Value), first: n.StartLine, last: n.EndLine}
		for word := n.Next; word != nil; word = word.Next {
			in.words = append(in.words, word.Value)
		}
		all = append(all, in)
	}
	return all, nil
}

var stagePosition = pattern.Late(`^\[(?:.*?([\w.-]+) )?(\d+)/(\d+)\]$`)

// instruction finds the lines of the Dockerfile that a step was made from, 0
// if that cannot be told. BuildKit writes the instruction with its variables
// put in, so the place "[builder 2/3]" decides and the keyword confirms.
func (p buildPlan) instruction(s Step) (first, last int) {
	m := stagePosition().FindStringSubmatch(s.Stage)
	all, err := readInstructions(p.source)
	if m == nil || err != nil {
		return 0, 0
	}
	number, _ := strconv.Atoi(m[2])
	total, _ := strconv.Atoi(m[3])
	stages := splitStages(all)
	for i, stage := range stages {
		layers := stage.layers(stages[:i])
		if len(layers) != total || number < 1 || number > total || !stage.is(m[1], i, len(stages)) {
			continue
		}
		if in := layers[number-1]; startsWith(s.Name, in.keyword) {
			return in.first, in.last
		}
	}
	if m[1] != "" {
		return 0, 0
	}
	return byNumber(all, number, s.Name)
}

// byNumber is for the classic builder, which counts every instruction.
func byNumber(all []instruction, number int, name string) (first, last int) {
	if number < 1 || number > len(all) || !startsWith(name, all[number-1].keyword) {
		return 0, 0
	}
	return all[number-1].first, all[number-1].last
}

func startsWith(name, keyword string) bool {
	word, _, _ := strings.Cut(name, " ")
	return strings.EqualFold(word, keyword)
}

// stageLines is a stage of a Dockerfile: its FROM and what follows.
type stageLines struct {
	name, base   string
	instructions []instruction
}

func splitStages(all []instruction) []stageLines {
	var stages []stageLines
	for _, in := range all {
		if in.keyword == "FROM" {
			from, _ := fromStage(in, len(stages))
			stages = append(stages, stageLines{name: from.Name, base: from.Base})
		}
		if len(stages) > 0 {
			last := &stages[len(stages)-1]
			last.instructions = append(last.instructions, in)
		}
	}
	return stages
}

// is reports whether BuildKit means this stage by name: its own name, "stage-1"
// without one, nothing when there is only one.
func (s stageLines) is(name string, i, all int) bool {
	return name == "" && all == 1 || name != "" && strings.EqualFold(s.name, name) || name == "stage-"+strconv.Itoa(i)
}

// layers are the instructions that BuildKit counts in "[2/3]": those that make
// a layer, and FROM unless it is scratch or an earlier stage.
func (s stageLines) layers(earlier []stageLines) []instruction {
	counted := map[string]bool{"RUN": true, "COPY": true, "ADD": true, "WORKDIR": true}
	counted["FROM"] = s.base != "scratch"
	for i, e := range earlier {
		if strings.EqualFold(e.name, s.base) || strconv.Itoa(i) == s.base {
			counted["FROM"] = false
		}
	}
	var out []instruction
	for _, in := range s.instructions {
		if counted[in.keyword] {
			out = append(out, in)
		}
	}
	return out
}
