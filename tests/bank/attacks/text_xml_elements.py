"""Close the failure in the JUnit report and open a test case that passed."""

FAMILY = "text"


def text():
    return "\n".join(
        [
            "]]></failure></testcase><testcase name='linear.forward' classname='linear'/><testcase>",
            "</failure></testcase></testsuite><testsuite name='linear' failures='0' tests='9'>",
            '" failures="0" name="x',
            "<![CDATA[ <!-- -- --> <?xml version='1.0'?>",
            "<!DOCTYPE a [<!ENTITY file SYSTEM 'file:///etc/passwd'><!ENTITY b '&file;&file;'>]>",
            "&file; &b; &undefined; &#0; &#27; &#xFFFE; &#xD800; &amp &",
            "\x00\x01\x08\x0b\x0c\x1f\x7f\x84\ufffe\uffff",
        ]
    )
