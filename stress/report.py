"""Results of tests, and the files in which other tools want to read them."""

import json
import re
import xml.etree.ElementTree as xml


class Result:
    """What became of one test; failure is '' when it passed."""

    def __init__(self, name, seconds=0.0, failure='', log='', points=0):
        self.name, self.seconds, self.failure = name, seconds, failure
        self.log = log          # where its output is kept
        self.points = points    # what it is worth

    @property
    def earned(self):
        return 0 if self.failure else self.points


def tally(results):
    """-> 'N passed, N failed'."""
    failed = sum(bool(result.failure) for result in results)
    return '%d passed, %d failed' % (len(results) - failed, failed)


def printable(text):
    """XML has no place for control characters."""
    return re.sub('[^\t\n\x20-\ud7ff]', '?', text)


def write_junit(path, suite, results):
    root = xml.Element('testsuite', name=suite, tests=str(len(results)),
                       failures=str(sum(bool(result.failure) for result in results)),
                       time='%.1f' % sum(result.seconds for result in results))
    for result in results:
        case = xml.SubElement(root, 'testcase', classname=suite, name=result.name,
                              time='%.1f' % result.seconds)
        if result.failure:
            first = result.failure.split('\n', 1)[0]
            failure = xml.SubElement(case, 'failure', message=printable(first))
            failure.text = printable(result.failure)
    xml.ElementTree(root).write(path, encoding='utf-8', xml_declaration=True)


def write_gradescope(path, results):
    tests = [{'name': result.name, 'score': result.earned, 'max_score': result.points,
              'status': 'failed' if result.failure else 'passed', 'output': result.failure}
             for result in results if result.points]
    with open(path, 'w') as out:
        json.dump({'score': sum(result.earned for result in results), 'tests': tests}, out,
                  indent=1)


def write_points(path, results):
    """The form of the course's own graders: points by test."""
    with open(path, 'w') as out:
        json.dump({result.name: result.earned for result in results}, out, indent=1)
