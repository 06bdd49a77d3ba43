using System.Text.RegularExpressions;

namespace GrpcShm.Conformance.Tests;

/// <summary>
/// The pages on reliability, the event service, threats and direct mode name the test for each promise. These tests
/// must exist.
/// </summary>
public sealed partial class ReliabilityPageTests
{
    [Theory]
    [InlineData("why/reliability.md", 50)]
    [InlineData("why/event-service.md", 60)]
    [InlineData("why/threat-model.md", 60)]
    [InlineData("why/direct-mode.md", 20)]
    public void Page_TestsThatItNames_AllExist(string page, int atLeast)
    {
        var tests = Tests();
        var named = Named(File.ReadAllLines(Path.Join(SourceTree.Root, "docs", page))).ToList();

        Assert.True(named.Count >= atLeast);
        Assert.Empty(named.Where(n => !tests.Contains(n)).Select(n => $"{n.Class}.{n.Method}"));
    }

    [Theory]
    [InlineData("| a | `ATests.B_C_D`, `….E_F_G` |", "ATests.B_C_D ATests.E_F_G")]
    [InlineData("`ATests.B_C_D`\n`….E_F_G`; model `ring`", "ATests.B_C_D ATests.E_F_G")]
    public void Named_ShortForms_MeanTheClassBefore(string page, string expected) =>
        Assert.Equal(expected, string.Join(' ', Named(page.Split('\n')).Select(n => $"{n.Class}.{n.Method}")));

    private static IEnumerable<(string Class, string Method)> Named(IEnumerable<string> lines)
    {
        var last = "";
        foreach (var match in lines.SelectMany(line => NamePattern().Matches(line)))
        {
            last = match.Groups[1].Value == "…" ? last : match.Groups[1].Value;
            yield return (last, match.Groups[2].Value);
        }
    }

    /// <summary>This reads the sources, since the tests of other projects are not part of this program.</summary>
    private static HashSet<(string Class, string Method)> Tests() =>
    [
        .. from file in Directory.GetFiles(Path.Join(SourceTree.Root, "tests"), "*.cs", SearchOption.AllDirectories)
           let text = File.ReadAllText(file)
           let type = ClassPattern().Match(text).Groups[1].Value
           from method in MethodPattern().Matches(text)
           select (type, method.Groups[1].Value),
    ];

    [GeneratedRegex(@"`(…|\w+)\.(\w+_\w+)`")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"^[a-z ]*\bclass (\w+)", RegexOptions.Multiline)]
    private static partial Regex ClassPattern();

    [GeneratedRegex(@"\[(?:Fact|Theory)[^\]]*\](?:\s*\[[^\n]*\])*\s*public (?:async )?(?:Task|void|ValueTask) (\w+)\(")]
    private static partial Regex MethodPattern();
}
