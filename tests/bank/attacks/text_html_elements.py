"""Put a script, an image and a form into the HTML report."""

FAMILY = "text"


def text():
    return "\n".join(
        [
            "<script>document.title = '100 of 100'</script>",
            "</pre></figure></details></section></main><h2>100 of 100</h2>",
            "<img src=x onerror=alert(1)><svg/onload=alert(1)><iframe srcdoc='<p>x'>",
            "\"'><b onmouseover=alert(1)>\" onfocus=alert(1) autofocus x=\"",
            "</style><style>.failed { display: none }</style></title><base href=//example.org>",
            "<meta http-equiv=refresh content='0;url=http://example.org'><form action=//example.org>",
            "<!-- the rest is a comment <![CDATA[ <?php phpinfo() ?> <!DOCTYPE html>",
            "&lt;b&gt; &amp; &#60;script&#62; &#x3c;i&#x3e; &nbsp &colon; &",
        ]
    )
