using System.Text.RegularExpressions;

namespace GrpcShm.Conformance.Tests.Pages;

/// <summary>Reads the pages of the documentation.</summary>
internal static partial class Page
{
    /// <summary>The text of a page below <c>docs</c>.</summary>
    public static string Read(params string[] path) => File.ReadAllText(Path.Join([SourceTree.Root, "docs", .. path]));

    /// <summary>The part of a page below a heading, up to the next heading of the same or a higher level.</summary>
    public static string Section(string page, string heading)
    {
        var level = heading.TakeWhile(static c => c == '#').Count();
        var lines = page.Split('\n').SkipWhile(line => line != heading).ToList();
        Assert.True(lines.Count > 0, $"The page has no heading '{heading}'.");
        return string.Join('\n', lines.Skip(1).TakeWhile(line =>
            !line.StartsWith('#') || line.TakeWhile(static c => c == '#').Count() > level));
    }

    /// <summary>The cells of each row of the tables of a page, without the heads of the tables.</summary>
    public static IEnumerable<string[]> Rows(string page)
    {
        var lines = page.Split('\n');
        var inTable = false;
        foreach (var line in lines)
        {
            if (!line.StartsWith('|'))
            {
                inTable = false;
            }
            else if (line.StartsWith("|---", StringComparison.Ordinal))
            {
                inTable = true;
            }
            else if (inTable)
            {
                yield return [.. line.Trim().Trim('|').Split(" | ").Select(static cell => cell.Trim())];
            }
        }
    }

    /// <summary>The first text in backticks.</summary>
    public static string Code(string cell) => Backticks().Match(cell).Groups["code"].Value;

    /// <summary>The blocks of code of a page in one language.</summary>
    public static IReadOnlyList<string> Blocks(string page, string language) =>
    [
        .. Fence().Matches(page)
            .Where(match => match.Groups["language"].Value == language)
            .Select(static match => match.Groups["code"].Value),
    ];

    [GeneratedRegex(@"`(?<code>[^`]+)`")]
    private static partial Regex Backticks();

    [GeneratedRegex(@"^```(?<language>\w*)\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();
}
