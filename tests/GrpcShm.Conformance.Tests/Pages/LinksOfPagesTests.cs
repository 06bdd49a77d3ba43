using System.Text.RegularExpressions;

namespace GrpcShm.Conformance.Tests.Pages;

/// <summary>No link of a page is broken: there is the file, and in it the heading.</summary>
public sealed partial class LinksOfPagesTests
{
    private const string Home = "https://github.com/grpcshm/grpcshm/blob/main/";

    private static readonly string[] Folders = ["docs", "samples", "templates", "src"];

    [Fact]
    public void Links_OfEachPage_LeadToAFileAndAHeading()
    {
        var pages = Pages().ToList();
        var broken = pages.SelectMany(page => Broken(page, File.ReadAllText(page))).ToList();

        Assert.Contains(pages, static page => page.EndsWith("how-to/containers.md", StringComparison.Ordinal));
        Assert.Empty(broken);
    }

    [Theory]
    [InlineData("[a](#no-such-heading)", 1)]
    [InlineData("[a](#heading-of-the-page)\n## Heading of the page", 0)]
    [InlineData("[a](#two-1)\n## Two\n## Two", 0)]
    [InlineData("[a](#a-name-here)\n## A `name` (here)", 0)]
    [InlineData("[a](missing.md)", 1)]
    [InlineData("[a](CHANGELOG.md#unreleased)", 0)]
    [InlineData("[a](CHANGELOG.md#released)", 1)]
    [InlineData("[a](" + Home + "missing.md)", 1)]
    [InlineData("[a](" + Home + "LICENSE)", 0)]
    [InlineData("[a](https://example.org/missing)", 0)]
    [InlineData("```\n[a](missing.md)\n```", 0)]
    public void Broken_Example_IsFound(string text, int expected) =>
        Assert.Equal(expected, Broken(Path.Join(SourceTree.Root, "EXAMPLE.md"), text).Count());

    private static IEnumerable<string> Broken(string page, string text)
    {
        foreach (Match link in Link().Matches(Fence().Replace(text, "")))
        {
            var target = link.Groups["target"].Value;
            var heading = link.Groups["heading"].Value;
            var file = target.Length == 0 ? page
                : target.StartsWith(Home, StringComparison.Ordinal) ? Path.Join(SourceTree.Root, target[Home.Length..])
                : target.Contains("://", StringComparison.Ordinal) ? null
                : Path.GetFullPath(Path.Join(Path.GetDirectoryName(page)!, target));
            if (file is null)
            {
                continue;
            }

            var exists = file == page || File.Exists(file) || Directory.Exists(file);
            var content = file == page ? text : File.Exists(file) ? File.ReadAllText(file) : "";
            if (!exists || (heading.Length > 0 && !Anchors(content).Contains(heading)))
            {
                yield return $"{Path.GetRelativePath(SourceTree.Root, page)}: {link.Value}";
            }
        }
    }

    /// <summary>The anchors that GitHub gives to the headings of a page.</summary>
    private static HashSet<string> Anchors(string page)
    {
        var anchors = new HashSet<string>(StringComparer.Ordinal);
        foreach (Match heading in Heading().Matches(Fence().Replace(page, "")))
        {
            var text = Markup().Replace(heading.Groups["text"].Value.Trim(), "${text}");
            var anchor = Other().Replace(text, "").Replace(' ', '-').ToLowerInvariant();
            var number = 0;
            while (!anchors.Add(number == 0 ? anchor : $"{anchor}-{number}"))
            {
                number++;
            }
        }

        return anchors;
    }

    private static IEnumerable<string> Pages() =>
        Folders
            .SelectMany(static folder => Directory.GetFiles(
                Path.Join(SourceTree.Root, folder), "*.md", SearchOption.AllDirectories))
            .Where(static page => !BuildOutput().IsMatch(page))
            .Concat(Directory.GetFiles(SourceTree.Root, "*.md"));

    [GeneratedRegex(@"/(obj|bin|_site)/")]
    private static partial Regex BuildOutput();

    [GeneratedRegex(@"(?<!!)\[[^\]]*\]\((?<target>[^)#\s]*)(#(?<heading>[^)\s]+))?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#{1,6} (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^```.*?^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    // Of a link in a heading the text remains.
    [GeneratedRegex(@"\[(?<text>[^\]]*)\](\([^)]*\))?")]
    private static partial Regex Markup();

    [GeneratedRegex(@"[^\p{L}\p{N} _-]")]
    private static partial Regex Other();
}
