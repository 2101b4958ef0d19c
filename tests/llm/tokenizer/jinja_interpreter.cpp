// Jinja interpreter: the language's rules as Jinja has them (expected texts are those of Jinja), and its limits.
#include "llm/tokenizer/jinja_interpreter.h"

#include <gtest/gtest.h>

#include "llm/tokenizer/jinja_parser.h"

namespace hearth::llm::jinja {
namespace {

std::string run(std::string_view source) {
  const NodePtr root = Parser(tokenize(source, "test"), "test").parse();
  const Value message = Value::dict({{"role", Value::text("user")}, {"content", Value::text("hi")}});
  Interpreter interpreter(*root, "test");
  return interpreter.run(Value::dict({{"messages", Value::list({message, message})}}));
}

struct Case {
  const char* source;
  const char* text;
};

class JinjaCase : public testing::TestWithParam<Case> {};

TEST_P(JinjaCase, GivesTheText) { EXPECT_EQ(run(GetParam().source), GetParam().text) << GetParam().source; }

INSTANTIATE_TEST_SUITE_P(
    Expressions, JinjaCase,
    testing::Values(
        Case{"{{ 7 // -2 }} {{ 7 % -3 }} {{ 10 / 5 }} {{ 2 ** 10 }} {{ 1e20 }} {{ 1.0 }} {{ 1e-5 }}",
             "-4 -2 2.0 1024 1e+20 1.0 1e-05"},
        Case{"{{ 1 + 2 * 3 }} {{ (1 + 2) * 3 }} {{ 'a' ~ 1 ~ none }} {{ 'ab' * 2 }}", "7 9 a1None abab"},
        Case{"{{ [1, 'a', none, true, {'k': \"v'q\"}] }}", "[1, 'a', None, True, {'k': \"v'q\"}]"},
        Case{"{{ 'h\u00e9llo'[1:3] }}{{ 'abc'[::-1] }}{{ [1,2,3][-1] }}{{ [1,2,3,4][1:-1] }}{{ [1,2,3][5:] }}",
             "\u00e9lcba3[2, 3][]"},
        Case{"{{ x }}{{ x is defined }}{{ x | default('d') }}{{ '' | default('e', true) }}", "Falsede"},
        Case{"{{ 'a' if false else 'b' }}{{ 'a' if false }}{{ 'z' not in ['a'] }}{{ not true or true }}", "bTrueTrue"},
        Case{"{{ messages | length }}{{ messages[-1]['role'] }}{{ messages[9] is defined }}", "2userFalse"},
        Case{"{{ {'b': [1, 2.0, \"\u00e9\\n\"]} | tojson }}", "{\"b\": [1, 2.0, \"\u00e9\\n\"]}"},
        Case{"{{ {'a': 1} | tojson(indent=2) }}", "{\n  \"a\": 1\n}"},
        Case{"{{ ' a b  c '.split() }}{{ 'a,b,,c'.split(',') }}{{ ' a  b  c '.split(none, 1) }}",
             "['a', 'b', 'c']['a', 'b', '', 'c']['a', 'b  c ']"},
        Case{"{{ 'xxaxx'.strip('x') }}{{ ' y '.lstrip() }}|{{ 'abc'.startswith(('x', 'a')) }}", "ay |True"},
        Case{"{{ 'hELLO wORLD' | title }} {{ 'hELLO' | capitalize }} {{ 'a' | upper }}", "Hello World Hello A"},
        Case{"{{ [{'n':1},{'n':2}] | map(attribute='n') | join('+') }}", "1+2"},
        Case{"{{ [1,2,3] | select('odd') | list }}{{ [{'r':1},{'r':2}] | selectattr('r','eq',2) | list | length }}",
             "[1, 3]1"},
        Case{"{{ 5 is odd }}{{ 5 is divisibleby 5 }}{{ none is none }}{{ 'a' is string }}{{ 1 is not none }}",
             "TrueTrueTrueTrueTrue"},
        Case{"{{ {'items': 3}['items'] }}{% for k, v in {'a': 1}.items() %}{{ k }}{{ v }}{% endfor %}", "3a1"}));

INSTANTIATE_TEST_SUITE_P(
    Statements, JinjaCase,
    testing::Values(
        Case{"{% for i in range(6) if i % 2 %}{{ loop.index }}:{{ i }}{{ '' if loop.last else ',' }}{% endfor %}",
             "1:1,2:3,3:5"},
        Case{"{% for i in [] %}x{% else %}empty{% endfor %}", "empty"},
        Case{"{% for i in range(9) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}{{ i "
             "}}{% endfor %}",
             "013"},
        Case{"{% set ns = namespace(a=1) %}{% for i in range(3) %}{% set ns.a = ns.a + i %}{% set q = 1 %}{% endfor "
             "%}{{ ns.a }}{{ q is defined }}",
             "4False"},
        Case{"{% macro f(a, b='B') %}[{{ a }}{{ b }}]{% endmacro %}{{ f(1) }}{{ f('x', b=2) }}", "[1B][x2]"},
        Case{"{% set t %}in {{ 1 }}{% endset %}{{ t | upper }}", "IN 1"},
        Case{"{% raw %}{{ x }}{% endraw %}{# no #}.", "{{ x }}."}, Case{"{{ \"{{a}}\" }}{{ '%}' }}", "{{a}}%}"},
        Case{"{% generation %}{{ 1 }}{% endgeneration %}", "1"}));

INSTANTIATE_TEST_SUITE_P(WhiteSpace, JinjaCase,
                         testing::Values(Case{"a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc"},
                                         Case{"a  {%- if true -%}  b  {%- endif -%}  c", "abc"},
                                         Case{"a\n {%+ if true %}b{% endif +%}\nc", "a\n b\nc"},
                                         Case{"x {{- 1 -}} y", "x1y"}, Case{"x\n  {{ 1 }}\ny", "x\n  1\ny"},
                                         Case{"a {# c -#} \n b", "a b"}));

TEST(JinjaInterpreter, NamesWhatItDoesNotKnow) {
  for (const char* source :
       {"{% include 'x' %}", "{% call f() %}{% endcall %}", "{{ 1 | wordcount }}", "{{ 1 is escaped }}",
        "{{ 'a'.encode() }}", "{{ lipsum() }}", "{{ f(*x) }}", "{{ 1 < 2 < 3 }}", "{{ '%s' % 1 }}"})
    EXPECT_THROW(run(source), NotImplementedError) << source;
}

TEST(JinjaInterpreter, BrokenTemplatesNameTheLine) {
  for (const char* source : {"\n{{ 1", "\n{% if 1 %}", "\n{{ 'a }}", "\n{% endif %}", "\n{{ 1 + }}", "\n{{ ] }}",
                             "\n{# ", "\n{% set 1 = 2 %}"}) {
    try {
      run(source);
      ADD_FAILURE() << source;
    } catch (const ValueError& error) {
      EXPECT_NE(std::string(error.what()).find("test: line 2"), std::string::npos) << error.what();
    }
  }
  for (const char* source : {"{{ x.y }}", "{{ 1 + 'a' }}", "{{ 1 / 0 }}", "{{ none() }}",
                             "{{ 9223372036854775807 + 1 }}", "{{ [1] < [2] }}"})
    EXPECT_THROW(run(source), ValueError) << source;
}

TEST(JinjaInterpreter, WorkDepthAndSizeAreBounded) {
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "(";
  EXPECT_THROW(run("{{ " + deep), ValueError);
  std::string chain = "{{ 1";
  for (int i = 0; i < 5000; ++i) chain += " + 1";
  EXPECT_THROW(run(chain + " }}"), ValueError);
  for (const char* source :
       {"{{ 'x' * 1000000000 }}", "{{ range(1000000000) }}", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% for a in range(10000) %}{% for b in range(10000) %}{% for c in range(10000) %}{% endfor %}{% endfor %}{% "
        "endfor %}",
        "{% set ns = namespace(t='xxxxxxxx') %}{% for i in range(99) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for i in range(30) %}{% set ns.l = [ns.l, ns.l] %}{% endfor %}{{ ns.l }}",
        "{% for i in range(99999) %}{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' * 9999 }}{% endfor %}"})
    EXPECT_THROW(run(source), ValueError) << source;
  EXPECT_THROW(run("{% set ns = namespace() %}{% set ns.self = ns %}"), NotImplementedError);
}

}  // namespace
}  // namespace hearth::llm::jinja
