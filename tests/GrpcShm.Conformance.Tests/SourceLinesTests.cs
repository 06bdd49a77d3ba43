namespace GrpcShm.Conformance.Tests;

/// <summary>Each line of the sources can be read without scrolling.</summary>
public sealed class SourceLinesTests
{
    // The value of max_line_length in .editorconfig, which editors obey and the compiler does not.
    private const int Longest = 120;

    private static readonly string[] Written = ["build", "src", "tests", "samples", "templates"];

    [Fact]
    public void Lines_OfEachSource_AreNotTooLong()
    {
        var files = Written.SelectMany(Sources).ToList();
        var tooLong =
            from file in files
            from line in File.ReadLines(file).Index()
            where line.Item.Length > Longest
            select $"{Path.GetRelativePath(SourceTree.Root, file)}:{line.Index + 1}: {line.Item.Length} characters";

        Assert.Contains(files, static file => Path.GetFileName(file) == $"{nameof(SourceLinesTests)}.cs");
        Assert.Empty(tooLong);
    }

    [Fact]
    public void EditorConfig_LongestLine_IsTheOneThatIsTested() =>
        Assert.Contains(
            $"max_line_length = {Longest}", File.ReadAllLines(Path.Join(SourceTree.Root, ".editorconfig")));

    private static IEnumerable<string> Sources(string directory) =>
        Directory.EnumerateFiles(Path.Join(SourceTree.Root, directory), "*.cs", SearchOption.AllDirectories)
            .Where(static file => !IsGenerated(Path.GetRelativePath(SourceTree.Root, file)));

    private static bool IsGenerated(string path) =>
        path.Split(Path.DirectorySeparatorChar).Any(static part => part is "bin" or "obj");
}
