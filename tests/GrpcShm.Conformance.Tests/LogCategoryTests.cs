using System.Text.RegularExpressions;

namespace GrpcShm.Conformance.Tests;

/// <summary>The page on logs names each log category, and there are no others.</summary>
public sealed partial class LogCategoryTests
{
    [Fact]
    public void Categories_OfTheLibraries_AreThoseOfThePage()
    {
        var sources = Directory.GetFiles(Path.Join(SourceTree.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Select(File.ReadAllText)
            .ToList();
        var declared = sources
            .SelectMany(static text => Declared().Matches(text))
            .Select(static match => match.Groups["name"].Value);
        var page = File.ReadAllText(Path.Join(SourceTree.Root, "docs", "reference", "logs.md"));
        var named = Row().Matches(page)
            .Select(static match => match.Groups["name"].Value);

        Assert.Equal(declared.Order(StringComparer.Ordinal), named.Order(StringComparer.Ordinal));

        // If a type's name were the category, it would change with the type.
        Assert.DoesNotContain(sources, static text => OfAType().IsMatch(text));
    }

    [GeneratedRegex(@"const string Category = ""(?<name>[^""]+)""")]
    private static partial Regex Declared();

    [GeneratedRegex(@"^## `(?<name>GrpcShm\.[^`]+)`$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"CreateLogger<|ILogger<")]
    private static partial Regex OfAType();
}
