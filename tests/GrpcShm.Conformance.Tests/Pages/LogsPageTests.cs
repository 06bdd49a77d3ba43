using System.Text.RegularExpressions;

namespace GrpcShm.Conformance.Tests.Pages;

/// <summary>The page on logs has each line of each category, with its number, and no other.</summary>
public sealed partial class LogsPageTests
{
    [Theory]
    [InlineData("GrpcShm.Transport", 12)]
    [InlineData("GrpcShm.AspNetCore", 14)]
    [InlineData("GrpcShm.EventBus", 8)]
    [InlineData("GrpcShm.EventBus.Hub", 5)]
    public void Page_LinesOfACategory_AreThoseOfTheLibrary(string category, int atLeast)
    {
        var written = Directory
            .GetFiles(Path.Join(SourceTree.Root, "src", category, "Diagnostics"), "*.cs")
            .SelectMany(static file => Line().Matches(File.ReadAllText(file)))
            .Select(static match => $"{match.Groups["id"].Value} {match.Groups["name"].Value}")
            .Order(StringComparer.Ordinal)
            .ToList();
        var shown = Page.Rows(Page.Section(Page.Read("reference", "logs.md"), $"## `{category}`"))
            .Select(static row => $"{row[0]} {Page.Code(row[1])}")
            .Order(StringComparer.Ordinal);

        Assert.True(written.Count >= atLeast);
        Assert.Equal(written, shown);
    }

    [GeneratedRegex(
        @"\[LoggerMessage\(\s*(EventId = )?(?<id>\d+),(?:(?!\[LoggerMessage).)*?EventName = ""(?<name>\w+)""",
        RegexOptions.Singleline)]
    private static partial Regex Line();
}
