using System.Text;
using System.Text.RegularExpressions;
using Grpc.Net.Client;

namespace GrpcShm.Conformance.Tests.Pages;

/// <summary>Each message for which the page has a remedy is one that the code writes, or that of grpc-dotnet.</summary>
public sealed partial class TroubleshootPageTests
{
    [Fact]
    public void Page_EachMessage_IsWrittenByTheCode()
    {
        var sources = Sources().ToList();
        var messages = Page.Rows(Page.Read("how-to", "troubleshoot.md"))
            .Select(static row => Page.Code(row[0]))
            .ToList();
        var unknown = messages.Where(message => !IsWritten(message, sources) && !IsOfGrpc(message)).ToList();

        Assert.True(messages.Count >= 40);
        Assert.Empty(unknown);
    }

    [Theory]
    [InlineData("The endpoint '…' is in use.", true)]
    [InlineData("is in use", true)]
    [InlineData("in use. Set Mode", true)]
    [InlineData("The endpoint 'x' is in use.", false)]
    [InlineData("The endpoint '…' is free.", false)]
    public void IsWritten_Example_IsFoundOverTheEndsOfLines(string message, bool expected)
    {
        const string Source = "$\"The endpoint '{endPoint}' is\"\n    + $\" in use. Set {nameof(Options.Mode)}\"";

        Assert.Equal(expected, IsWritten(message, [Join(Source)]));
    }

    [Theory]
    [InlineData("Error connecting to subchannel.", true)]
    [InlineData("Error connecting to a subchannel.", false)]
    public void IsOfGrpc_Example_IsFoundAmongItsTexts(string message, bool expected) =>
        Assert.Equal(expected, IsOfGrpc(message));

    /// <summary>An assembly holds the texts of its code as UTF-16.</summary>
    private static bool IsOfGrpc(string message) =>
        File.ReadAllBytes(typeof(GrpcChannel).Assembly.Location).AsSpan()
            .IndexOf(Encoding.Unicode.GetBytes(message)) >= 0;

    private static bool IsWritten(string message, IReadOnlyList<string> sources)
    {
        var pattern = new Regex(string.Join(@"[^\n]*?", message.Split('…').Select(Regex.Escape)));
        return sources.Any(pattern.IsMatch);
    }

    private static IEnumerable<string> Sources() =>
        Directory.GetFiles(Path.Join(SourceTree.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(static file => !file.Contains("/obj/", StringComparison.Ordinal))
            .Select(static file => Join(File.ReadAllText(file)));

    /// <summary>A message is often written in pieces, one a line, and names options by <c>nameof</c>.</summary>
    private static string Join(string source) => Name().Replace(Seam().Replace(source, ""), "${name}");

    [GeneratedRegex(@"""\s*\+\s*\$?""")]
    private static partial Regex Seam();

    [GeneratedRegex(@"\{nameof\((\w+\.)*(?<name>\w+)\)\}")]
    private static partial Regex Name();
}
