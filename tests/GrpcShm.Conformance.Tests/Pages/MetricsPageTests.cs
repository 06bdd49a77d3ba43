using System.Text.RegularExpressions;

namespace GrpcShm.Conformance.Tests.Pages;

/// <summary>The page on metrics has each instrument and each attribute of the libraries, and no other.</summary>
public sealed partial class MetricsPageTests
{
    [Fact]
    public void Page_InstrumentsAndAttributes_AreThoseOfTheLibraries()
    {
        var written = Directory.GetFiles(Path.Join(SourceTree.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(static file => !file.Contains("/obj/", StringComparison.Ordinal))
            .SelectMany(static file => Literal().Matches(File.ReadAllText(file)))
            .Select(static match => match.Groups["name"].Value)
            .ToHashSet();
        var shown = Shown().Matches(Page.Read("reference", "metrics.md"))
            .Select(static match => match.Groups["name"].Value)
            .ToHashSet();

        Assert.Contains("grpcshm.doorbells.rung", written);
        Assert.Empty(written.Except(shown));
        Assert.Empty(shown.Except(written));
    }

    [GeneratedRegex(@"""(?<name>(grpcshm|messaging)\.[a-z_.]+)""")]
    private static partial Regex Literal();

    [GeneratedRegex(@"`(?<name>(grpcshm|messaging)\.[a-z_.]+)`")]
    private static partial Regex Shown();
}
