using System.Text.RegularExpressions;

namespace GrpcShm.Conformance.Tests.Pages;

/// <summary>
/// What the pages print for people to copy is what is tried elsewhere: the files beside a page (step "deployment files"
/// of <c>.ci/run</c>), and the programs of the package pages (step "package pages").
/// </summary>
public sealed partial class PrintedFilesPageTests
{
    private static readonly string[] Languages = ["", "xml", "csharp"];

    [Theory]
    [InlineData("containers.md", 2)]
    [InlineData("systemd.md", 3)]
    public void Page_EachFileThatItPrints_IsTheFileBesideIt(string name, int count)
    {
        var printed = Printed().Matches(Page.Read("how-to", name));

        Assert.Equal(count, printed.Count);
        Assert.All(printed, static match => Assert.Equal(
            Page.Read("how-to", "files", match.Groups["file"].Value), match.Groups["text"].Value));
    }

    [Fact]
    public void Files_Each_IsPrinted()
    {
        var pages = Page.Read("how-to", "containers.md") + Page.Read("how-to", "systemd.md");

        Assert.All(
            Directory.GetFiles(Path.Join(SourceTree.Root, "docs", "how-to", "files")),
            file => Assert.Contains($"(files/{Path.GetFileName(file)})", pages, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("transport.md", "GrpcShm.AspNetCore")]
    [InlineData("transport.md", "GrpcShm.Client")]
    [InlineData("event-service.md", "GrpcShm.EventBus.Hub")]
    [InlineData("event-service.md", "GrpcShm.EventBus")]
    public void StartPage_EachBlockOfAPackagePage_IsPrintedAlike(string name, string package)
    {
        var page = Page.Read("start", name);
        var source = File.ReadAllText(Path.Join(SourceTree.Root, "src", package, "README.md"));

        foreach (var language in Languages)
        {
            Assert.Superset(Page.Blocks(source, language).ToHashSet(), Page.Blocks(page, language).ToHashSet());
        }

        Assert.NotEmpty(Page.Blocks(source, "csharp"));
    }

    [GeneratedRegex(
        @"\[files/(?<file>[\w.]+)\]\(files/\k<file>\):\n\n```\w+\n(?<text>.*?)^```$",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Printed();
}
