using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Tests.Routing;

public sealed class GlobTests
{
    [Theory]
    [InlineData("", "", true)]
    [InlineData("", "a", false)]
    [InlineData("*", "", true)]
    [InlineData("*", "anything", true)]
    [InlineData("tool-*", "tool-7", true)]
    [InlineData("tool-*", "tool", false)]
    [InlineData("tool-?", "tool-7", true)]
    [InlineData("tool-?", "tool-77", false)]
    [InlineData("*-a-*", "x-a-y-a-z", true)]
    [InlineData("a*b*c", "a-b-b-c", true)]
    [InlineData("a*b*c", "a-c-b", false)]
    [InlineData("?", "", false)]
    [InlineData("a.c", "abc", false)]
    public void Matches_Pattern_AsExpected(string pattern, string text, bool expected)
    {
        Assert.Equal(expected, Glob.Matches(pattern, text));
    }

    [Fact]
    public async Task Matches_HostilePattern_EndsSoon()
    {
        var pattern = string.Concat(Enumerable.Repeat("a*", 100)) + "b";

        Assert.False(await Task.Run(() => Glob.Matches(pattern, new string('a', 1000))).InTime());
    }
}
