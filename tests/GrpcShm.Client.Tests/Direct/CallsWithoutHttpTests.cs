using System.Text.RegularExpressions;

namespace GrpcShm.Client.Tests.Direct;

/// <summary>
/// Calls in direct mode, and their connections, know nothing of HTTP: the HTTP handler is one user of them, and others
/// may come.
/// </summary>
public sealed partial class CallsWithoutHttpTests
{
    private static readonly string Folder = Path.Combine(SourceTree.Root, "src", "GrpcShm.Client", "Direct");

    public static TheoryData<string> Files => [.. Directory.GetFiles(Folder, "*.cs").Select(f => Path.GetFileName(f))];

    [Fact]
    public void Folder_HasWhatACallIs() =>
        Assert.Superset(
            new HashSet<string>(
                ["ClientCall.cs", "ClientCallPool.cs", "ClientConnections.cs", "DirectConnection.cs", "CallTarget.cs"]),
            Directory.GetFiles(Folder).Select(f => Path.GetFileName(f)).ToHashSet());

    [Theory]
    [MemberData(nameof(Files))]
    public void File_OfACall_NamesNothingOfHttp(string file)
    {
        var lines = File.ReadLines(Path.Combine(Folder, file));

        Assert.DoesNotContain(lines, line => OfHttp().IsMatch(line));
    }

    [Theory]
    [InlineData("private HttpResponseMessage? _response;", true)]
    [InlineData("public CallTarget(Uri address)", true)]
    [InlineData("using GrpcShm.Client.Http;", true)]
    [InlineData("private IPendingCall? _pending;", false)]
    public void Pattern_OfHttp_IsFound(string line, bool isFound) => Assert.Equal(isFound, OfHttp().IsMatch(line));

    [GeneratedRegex(
        @"\b(Http(RequestMessage|ResponseMessage|Content|MessageHandler|RequestException)|Uri)\b"
        + @"|using GrpcShm\.Client\.Http2?;")]
    private static partial Regex OfHttp();
}
