using GrpcShm.AspNetCore.Direct;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>The fields of a block, from when they come until they stand in a dictionary.</summary>
public sealed class RequestFieldsTests
{
    private readonly RequestFields _fields = new();
    private readonly HeaderDictionary _headers = [];

    [Fact]
    public void MoveTo_OutOfOrder_PutsThemInOrderAndKeepsTheOrderOfEqualOnes()
    {
        _fields.Add("last-1", "a", int.MaxValue);
        _fields.Add("second", "b", 2);
        _fields.Add("last-2", "c", int.MaxValue);
        _fields.Add("first", "d", 1);

        _fields.MoveTo(_headers);

        Assert.Equal(["first", "second", "last-1", "last-2"], _headers.Keys);
        Assert.Equal("c", _headers["last-2"]);
    }

    [Fact]
    public void MoveTo_MoreThanAreSortedInPlace_PutsThemInOrder()
    {
        for (var i = 0; i < 200; i++)
        {
            _fields.Add($"name-{i:000}", "v", 199 - i);
        }

        _fields.MoveTo(_headers);

        Assert.Equal(Enumerable.Range(0, 200).Select(static i => $"name-{199 - i:000}"), _headers.Keys);
    }

    [Fact]
    public void MoveTo_SameNameThrice_IsOneHeaderWithTheValuesAsTheyCame()
    {
        _fields.Add("x-name", "1", 0);
        _fields.Add("other", "2", 0);
        _fields.Add("X-Name", "3", 0);
        _fields.Add("x-name", "", 0);

        _fields.MoveTo(_headers);

        Assert.Equal(["1", "3", ""], _headers["x-name"].ToArray());
        Assert.Equal("2", _headers["other"]);
        Assert.Equal(2, _headers.Count);
    }

    [Fact]
    public void MoveTo_CookieInPieces_IsOneCookie()
    {
        _fields.Add("Cookie", "a=1", 0);
        _fields.Add("Cookie", "b=2", 0);

        _fields.MoveTo(_headers);

        Assert.Equal("a=1; b=2", Assert.Single(_headers["Cookie"].ToArray()));
    }

    [Fact]
    public void MoveTo_EmptyValue_IsThere()
    {
        _fields.Add("x-empty", "", 0);

        _fields.MoveTo(_headers);

        Assert.True(_headers.ContainsKey("x-empty"));
        Assert.Equal("", _headers["x-empty"]);
    }

    [Fact]
    public void MoveTo_Twice_HasForgottenThemTheSecondTime()
    {
        _fields.Add("b", "1", 5);
        _fields.Add("a", "1", 1);
        _fields.MoveTo(_headers);
        _headers.Clear();

        // In an order that would not be one after the greatest of those before.
        _fields.Add("c", "1", 0);
        _fields.Add("d", "1", 1);
        _fields.MoveTo(_headers);

        Assert.Equal(["c", "d"], _headers.Keys);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(300)]
    public void Clear_HadSome_LeavesNone(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _fields.Add($"name-{i}", "v", 0);
        }

        _fields.Clear();
        _fields.MoveTo(_headers);

        Assert.Empty(_headers);
    }
}
