using System.Text.RegularExpressions;
using GrpcShm.Testing;

namespace GrpcGreeter.Tests;

/// <summary>
/// <c>docs/how-to/test-your-service.md</c>: its files are those that run here, against the program that the first pages
/// print.
/// </summary>
public sealed partial class TestYourServicePageTests
{
    [Theory]
    [InlineData("GreeterFactory.cs")]
    [InlineData("GreeterTest.cs")]
    [InlineData("HubTest.cs")]
    public void Page_AFileThatItPrints_IsTheOneThatRuns(string file) => Assert.Contains(
        File.ReadAllText(Path.Join(SourceTree.Root, "tests", "GrpcShm.GreeterPage.Tests", file)),
        Blocks("docs", "how-to", "test-your-service.md"));

    [Fact]
    public void Page_ItsFiles_AreThree() => Assert.Equal(3, Blocks("docs", "how-to", "test-your-service.md").Count);

    [Theory]
    [InlineData("README.md")]
    [InlineData("docs", "start", "transport.md")]
    public void FirstPage_ItsServer_IsTheOneThatIsTested(params string[] page) => Assert.Equal(
        File.ReadAllText(Path.Join(SourceTree.Root, "tests", "GrpcShm.GreeterPage", "Program.cs")), Blocks(page)[0]);

    [Fact]
    public void FirstPages_TheirClients_AreAlike() =>
        Assert.Equal(Blocks("README.md")[1], Blocks("docs", "start", "transport.md")[1]);

    private static List<string> Blocks(params string[] path) =>
    [
        .. Block().Matches(File.ReadAllText(Path.Join([SourceTree.Root, .. path])))
            .Select(static match => match.Groups["code"].Value),
    ];

    [GeneratedRegex("^```csharp\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
