using System.Text.RegularExpressions;

namespace GrpcShm.Conformance.Tests;

/// <summary>All that the pages name exists: projects, types, and steps of the checks.</summary>
public sealed partial class ContributingPagesTests
{
    private static readonly string[] Foreign = ["GrpcChannel", "SocketsHttpHandler", "HttpClient"];

    [Fact]
    public void Contributing_EachProject_Exists()
    {
        var names = Project().Matches(File.ReadAllText(Path.Join(SourceTree.Root, "CONTRIBUTING.md")))
            .Select(static match => match.Value)
            .Except(["GrpcShm.FaultPoints"])
            .ToHashSet();

        Assert.Contains("GrpcShm.Client.Tests", names);
        string[] folders = ["build", "src", "tests"];
        Assert.All(names, name => Assert.True(
            folders.Any(folder => Directory.Exists(Path.Join(SourceTree.Root, folder, name))), name));
    }

    [Fact]
    public void Contributing_EachTestProject_IsNamed()
    {
        var page = File.ReadAllText(Path.Join(SourceTree.Root, "CONTRIBUTING.md"));

        Assert.All(
            Directory.GetDirectories(Path.Join(SourceTree.Root, "tests"), "*.Tests"),
            project => Assert.Contains($"`{Path.GetFileName(project)}`", page, StringComparison.Ordinal));
    }

    [Fact]
    public void Contributing_EachStepOfTheChecks_IsOne()
    {
        var steps = Step().Matches(File.ReadAllText(Path.Join(SourceTree.Root, ".ci", "run")))
            .Select(static match => match.Groups["name"].Value)
            .ToList();
        var named = RunStep().Matches(File.ReadAllText(Path.Join(SourceTree.Root, "CONTRIBUTING.md")))
            .SelectMany(static match => match.Groups["names"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(static name => !name.StartsWith("--", StringComparison.Ordinal))
            .ToList();

        Assert.Contains("models", named);
        Assert.Empty(named.Except(steps));
    }

    [Theory]
    [InlineData("architecture.md")]
    [InlineData("glossary.md")]
    public void Page_EachTypeThatItNames_Exists(string page)
    {
        var types = Directory.GetFiles(Path.Join(SourceTree.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(static file => TypeDeclaration().Matches(File.ReadAllText(file)))
            .Select(static match => match.Groups["name"].Value)
            .ToHashSet();
        var named = TypeName().Matches(File.ReadAllText(Path.Join(SourceTree.Root, "docs", "contributing", page)))
            .Select(static match => match.Groups["name"].Value)
            .Where(static name => !Foreign.Contains(name))
            .ToList();

        Assert.NotEmpty(named);
        Assert.DoesNotContain(named, name =>
            !types.Contains(name) && !Directory.Exists(Path.Join(SourceTree.Root, "src", "GrpcShm.Transport", name)));
    }

    [GeneratedRegex(@"(?<=`|/)GrpcShm\.[A-Z]\w+(\.[A-Z]\w+)*(?=`|\s)")]
    private static partial Regex Project();

    [GeneratedRegex(@"\b(class|struct|interface|enum|record) (?<name>[A-Z]\w+)")]
    private static partial Regex TypeDeclaration();

    [GeneratedRegex(@"`(?<name>[A-Z][A-Za-z0-9]+)`")]
    private static partial Regex TypeName();

    [GeneratedRegex(@"step ['""](?<name>[^'""$]+)['""]")]
    private static partial Regex Step();

    [GeneratedRegex(@"^\.ci/run +(?<names>[a-z -]+?) *(#|$)", RegexOptions.Multiline)]
    private static partial Regex RunStep();
}
