using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Tests.Routing;

public sealed class NamePatternTests
{
    [Theory]
    [InlineData("oven-1", 1)]
    [InlineData("oven-*", 1)]
    [InlineData("*", 1)]
    [InlineData("*-1", 8)]
    [InlineData("a*b*c", 8)]
    [InlineData("oven-?", 8)]
    [InlineData("?a*", 8)]
    [InlineData("*a?b*", 64)]
    [InlineData("*?23456789012345678901234567890123456789012345678901234567890123456789", 128)]
    public void Weight_IsWhatItCostsAtWorst(string pattern, int weight) =>
        Assert.Equal(weight, new NamePattern(pattern).Weight);

    [Theory]
    [InlineData("a*b", "ab", true)]
    [InlineData("a*b", "aXb", true)]
    [InlineData("ab*ba", "aba", false)]
    [InlineData("ab*ba", "abba", true)]
    [InlineData("**a", "ba", true)]
    [InlineData("a**", "ab", true)]
    [InlineData("*-a-*", "x-a-y", true)]
    [InlineData("*a*a", "a", false)]
    public void Matches_Pattern_AsExpected(string pattern, string text, bool expected) =>
        Assert.Equal(expected, new NamePattern(pattern).Matches(text));

    [Fact]
    public void Matches_RandomPatterns_AsTheSimpleWayDoes()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var i = 0; i < 100_000; i++)
        {
            var pattern = Text(random, "ab*?", 7);
            var text = Text(random, "ab", 9);
            Assert.True(
                Glob.Matches(pattern, text) == new NamePattern(pattern).Matches(text),
                $"'{pattern}' and '{text}', seed {seed}");
        }
    }

    private static string Text(Random random, string characters, int most) =>
        new([.. Enumerable.Range(0, random.Next(most)).Select(_ => characters[random.Next(characters.Length)])]);
}
