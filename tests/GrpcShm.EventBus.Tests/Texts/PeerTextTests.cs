namespace GrpcShm.EventBus.Tests.Texts;

/// <summary>What becomes of the text of a peer before people read it.</summary>
public sealed class PeerTextTests
{
    [Theory]
    [InlineData(null, "")]
    [InlineData("", "")]
    [InlineData("orders.v1", "orders.v1")]
    [InlineData("Müller 東京 😀", "Müller 東京 😀")]
    [InlineData("a\r\nWarning: b", "a\uFFFD\uFFFDWarning: b")]
    [InlineData("\e[2J\a\0", "\uFFFD[2J\uFFFD\uFFFD")]
    [InlineData("\u0085\u2028\u2029", "\uFFFD\uFFFD\uFFFD")]
    [InlineData("evil\u202Etxt.exe\u2066\u200B", "evil\uFFFDtxt.exe\uFFFD\uFFFD")]
    public void Clean_Text_KeepsWhatIsForPeopleToRead(string? text, string expected) =>
        Assert.Equal(expected, PeerText.Clean(text));

    [Fact]
    public void Clean_HalfOfASurrogatePair_IsReplaced() => Assert.Equal("a\uFFFDb", PeerText.Clean("a\uD83Db"));

    [Theory]
    [InlineData("12345678", "12345678")]
    [InlineData("123456789", "1234567…")]
    [InlineData("123456😀", "123456😀")]
    [InlineData("123456😀7", "123456…")]
    [InlineData("1234567😀", "1234567…")]
    public void Clean_TooLong_IsCutBetweenTwoCharacters(string text, string expected) =>
        Assert.Equal(expected, PeerText.Clean(text, 8));

    [Fact]
    public void Clean_LongAndStrange_StaysWithinItsBound()
    {
        var text = string.Concat(Enumerable.Repeat("\e[31m\u202E😀", 10_000));

        Assert.InRange(PeerText.Clean(text).Length, PeerText.MaxName - 1, PeerText.MaxName);
    }
}
