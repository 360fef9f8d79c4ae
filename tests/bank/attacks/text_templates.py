"""Have itself evaluated by a template, a workflow file or a format string."""

FAMILY = "text"


def text():
    return "\n".join(
        [
            "{{ 7 * 7 }} {{ report.score }} {{ ''.__class__.__mro__ }}",
            "{% for i in range(3) %}x{% endfor %} {# a comment that hides #}",
            "{% set report = 100 %} {% raw %} {% endraw %} {% raw %}",
            "${{ secrets.TOKEN }} ${{ github.token }} $(id) `id` ${IFS} %PATH% <%= 7 * 7 %> #{7 * 7}",
            "{0} {report} {report.__class__.__init__.__globals__} %s %(x)s %n",
        ]
    )
