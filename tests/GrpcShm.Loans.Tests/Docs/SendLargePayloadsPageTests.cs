using System.Buffers;
using System.Text.RegularExpressions;
using GrpcShm.PageCode;

namespace GrpcShm.Loans.Tests.Docs;

/// <summary>
/// <c>docs/how-to/send-large-payloads.md</c>: its code is compiled here as printed, and does what the page says.
/// </summary>
public sealed partial class SendLargePayloadsPageTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private static string Page { get; } =
        File.ReadAllText(Path.Join(SourceTree.Root, "docs", "how-to", "send-large-payloads.md"));

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("proto", 0, "Protos/pictures.proto")]
    [InlineData("csharp", 0, "Docs/PictureMethods.cs")]
    [InlineData("csharp", 1, "Docs/PictureService.cs")]
    public void Page_ItsFiles_AreThoseThatRun(string language, int block, string file) => Assert.Equal(
        File.ReadAllText(Path.Join(SourceTree.Root, "tests", "GrpcShm.Loans.Tests", file)),
        Blocks(language).ElementAt(block));

    [Fact]
    public void Page_EveryOtherLineOfItsCode_IsCompiled()
    {
        var compiled = Normalize(File.ReadAllText(
            Path.Join(SourceTree.Root, "tests", "GrpcShm.Loans.Tests", "Docs", "PicturesPage.cs")));
        var blocks = Blocks("csharp").Skip(2).ToArray();

        Assert.Equal(5, blocks.Length);
        Assert.All(blocks, block => Assert.Contains(Normalize(block), compiled, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Code_ServerAndClient_DoWhatThePageSays()
    {
        await using var app = PicturesPage.CreateServer(_directory.Path);
        await app.StartAsync(TestContext.Current.CancellationToken).InTime();
        using var channel = PicturesPage.Connect(_directory.Path);

        Assert.Equal(7, await PicturesPage.SharpenAsync(channel).InTime());
        Assert.Equal([0, 1, 2], await PicturesPage.WatchAsync(channel).InTime());
    }

    [Fact]
    public void Code_UnknownLengthAndBounds_DoWhatThePageSays()
    {
        using var picture = PicturesPage.CreateOfUnknownLength(static writer => writer.Write("abc"u8));

        Assert.Equal("abc"u8.ToArray(), picture.Payload.ToArray());
        Assert.Equal(0, PicturesPage.CreatePool().LoanedBytes);
    }

    private static IEnumerable<string> Blocks(string language) =>
        Block().Matches(Page)
            .Where(match => match.Groups["language"].Value == language)
            .Select(static match => match.Groups["code"].Value);

    private static string Normalize(string code) => Spaces().Replace(code, " ").Trim();

    [GeneratedRegex("^```(?<language>\\w+)\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
