using System.Reflection;
using System.Text;
using GrpcShm.EventBus.Wire;

namespace GrpcShm.EventBus.Tests.Wire;

/// <summary>The table of texts that come again and again, by itself.</summary>
public sealed class InternedTextsTests
{
    private readonly InternedTexts _texts = new();

    [Theory]
    [InlineData("a")]
    [InlineData("grüße")]
    [InlineData("application/json")]
    public void Get_ATextThatComesAgain_IsTheSameStringFromTheSecondTimeOn(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);

        Assert.Equal(text, _texts.Get(bytes));
        var kept = _texts.Get(bytes);
        Assert.Equal(text, kept);
        Assert.Same(kept, _texts.Get([.. bytes]));
    }

    [Fact]
    public void Get_NoText_IsEmpty() => Assert.Same("", _texts.Get([]));

    [Fact]
    public void Get_ALongText_IsNotKept()
    {
        var longest = Encoding.UTF8.GetBytes(new string('a', InternedTexts.MostBytes));
        byte[] longer = [.. longest, (byte)'a'];
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(InternedTexts.MostBytes, _texts.Get(longest).Length);
            Assert.Equal(InternedTexts.MostBytes + 1, _texts.Get(longer).Length);
        }

        Assert.Same(_texts.Get(longest), _texts.Get(longest));
        Assert.NotSame(_texts.Get(longer), _texts.Get(longer));
    }

    [Fact]
    public void Get_ManyTextsTwiceEach_AreRightAndNoMoreAreKeptThanHaveRoom()
    {
        for (var i = 0; i < 20 * InternedTexts.Capacity; i++)
        {
            var text = $"machine-{i}";
            var bytes = Encoding.UTF8.GetBytes(text);
            Assert.Equal(text, _texts.Get(bytes));
            Assert.Equal(text, _texts.Get(bytes));
        }

        Assert.InRange(CountKept(), InternedTexts.Capacity / 2, InternedTexts.Capacity);
    }

    [Fact]
    public void Get_ManyTextsOnceEach_PushNothingOut()
    {
        var name = "NAME"u8.ToArray();
        _texts.Get(name);
        var kept = _texts.Get(name);

        for (var i = 0; i < 20 * InternedTexts.Capacity; i++)
        {
            _texts.Get(Encoding.UTF8.GetBytes($"id-{i}"));
        }

        Assert.Same(kept, _texts.Get(name));
    }

    [Fact]
    public async Task Get_ByManyThreadsAtOnce_IsAlwaysTheText()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            for (var i = 0; i < 50_000; i++)
            {
                var text = $"{(i * 7) + thread}".PadLeft(1 + (i % 20), 'x')[..(1 + (i % 3))];
                Assert.Equal(text, _texts.Get(Encoding.UTF8.GetBytes(text)));
            }
        }))).InTime();
    }

    // All strings in all arrays of the table.
    private int CountKept() => typeof(InternedTexts)
        .GetFields(BindingFlags.NonPublic | BindingFlags.Instance)
        .Select(field => field.GetValue(_texts))
        .OfType<object?[]>()
        .Sum(static places => places.Count(static place => place is not null));
}
