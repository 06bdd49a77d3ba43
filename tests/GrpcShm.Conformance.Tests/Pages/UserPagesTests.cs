using System.Text.RegularExpressions;

namespace GrpcShm.Conformance.Tests.Pages;

/// <summary>
/// Pages for users speak of what users do. The names of tests and the steps of the checks are in <c>docs/why</c>.
/// </summary>
public sealed partial class UserPagesTests
{
    [Theory]
    [InlineData("start", 2)]
    [InlineData("how-to", 8)]
    [InlineData("reference", 7)]
    public void Folder_ItsPages_NameNoTests(string folder, int atLeast)
    {
        var pages = Directory.GetFiles(Path.Join(SourceTree.Root, "docs", folder), "*.md");

        Assert.True(pages.Length >= atLeast);
        Assert.All(pages, static page => Assert.DoesNotMatch(NameOfATest(), File.ReadAllText(page)));
    }

    [Theory]
    [InlineData("start")]
    [InlineData("how-to")]
    [InlineData("reference")]
    [InlineData("why")]
    [InlineData("contributing")]
    public void Folder_EachOfItsPages_IsInItsContentsAndInTheIndex(string folder)
    {
        var contents = Page.Read(folder, "toc.yml");
        var index = Page.Read("README.md");
        var pages = Directory.GetFiles(Path.Join(SourceTree.Root, "docs", folder), "*.md").Select(Path.GetFileName);

        Assert.All(pages, page =>
        {
            Assert.Contains($"href: {page}", contents, StringComparison.Ordinal);
            Assert.Contains($"({folder}/{page})", index, StringComparison.Ordinal);
        });
    }

    [GeneratedRegex(@"\w+Tests\b|\.ci/run")]
    private static partial Regex NameOfATest();
}
