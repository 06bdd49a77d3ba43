using System.Text;
using GrpcShm.AspNetCore.Direct;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Primitives;

namespace GrpcShm.AspNetCore.Tests.Direct.Parts;

/// <summary>The headers and the trailers of a response: what they refuse, and when.</summary>
public sealed class ResponseHeadersTests
{
    private readonly ResponseHeaders _headers = Create();

    [Theory]
    [InlineData("")]
    [InlineData("with space")]
    [InlineData("colon:")]
    [InlineData("ä")]
    [InlineData("line\nbreak")]
    public void Set_NameThatHttpDoesNotAllow_IsRefused(string name)
    {
        Assert.Throws<InvalidOperationException>(() => _headers[name] = "value");
        Assert.Throws<InvalidOperationException>(() => _headers.Add(name, "value"));
        Assert.Empty(_headers.Keys);
    }

    [Theory]
    [InlineData("a\r\nb")]
    [InlineData("a\0b")]
    [InlineData("ä")]
    [InlineData("\u007f")]
    public void Set_ValueThatMayNotBeSent_IsRefusedByItsName(string value)
    {
        var refused = Assert.Throws<InvalidOperationException>(() => _headers["x-name"] = value);

        Assert.Contains("'x-name'", refused.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => _headers["x-name"] = new StringValues(["fine", value]));
        Assert.Throws<InvalidOperationException>(() => _headers.Add("x-name", value));
        Assert.False(_headers.ContainsKey("x-name"));
    }

    [Fact]
    public void Set_TextThatTheSelectorAllows_IsTakenForThatNameAlone()
    {
        var headers = Create(static name => name == "x-text" ? Encoding.UTF8 : null);

        headers["x-text"] = "ä";

        Assert.Equal("ä", headers["x-text"]);
        Assert.Throws<InvalidOperationException>(() => headers["x-other"] = "ä");
        Assert.Throws<InvalidOperationException>(() => headers["x-text"] = "ä\n");
    }

    [Fact]
    public void Add_NameThatIsThere_IsRefused()
    {
        _headers.Add("x-name", "1");

        Assert.Throws<ArgumentException>(() => _headers.Add("X-Name", "2"));
        Assert.Equal("1", _headers["x-name"]);
    }

    [Fact]
    public void Add_ContentLengthThatIsThere_KeepsTheFirst()
    {
        _headers.Add("Content-Length", "5");

        Assert.Throws<ArgumentException>(() => _headers.Add("content-length", "6"));
        Assert.Equal(5, _headers.ContentLength);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("five")]
    [InlineData("5,5")]
    public void Set_ContentLengthThatIsNone_IsRefused(string value)
    {
        Assert.Throws<InvalidOperationException>(() => _headers["Content-Length"] = value);
        Assert.Null(_headers.ContentLength);
    }

    [Fact]
    public void ContentLength_InEachWay_IsOneAndTheSame()
    {
        _headers["content-length"] = "0017";
        Assert.Equal(17, _headers.ContentLength);
        Assert.Equal("17", _headers["Content-Length"]);

        _headers.ContentLength = 3;
        Assert.Equal("3", _headers["Content-Length"]);

        Assert.True(_headers.Remove("Content-length"));
        Assert.Null(_headers.ContentLength);

        _headers.ContentLength = 4;
        _headers["Content-Length"] = default;
        Assert.Null(_headers.ContentLength);

        _headers.ContentLength = 4;
        _headers.ContentLength = null;
        Assert.False(_headers.ContainsKey("Content-Length"));
        Assert.Throws<ArgumentOutOfRangeException>(() => _headers.ContentLength = -1);
    }

    [Fact]
    public void Set_ContentLengthAmongTrailers_MeansNothing()
    {
        var trailers = Create(areTrailers: true);

        trailers["content-length"] = "five";

        Assert.Equal("five", trailers["content-length"]);
        Assert.Null(trailers.ContentLength);
    }

    [Fact]
    public void SetReadOnly_EachChange_IsRefused()
    {
        _headers["x-name"] = "1";
        _headers.SetReadOnly();

        Assert.True(_headers.IsReadOnly);
        Assert.Throws<InvalidOperationException>(() => _headers["x-name"] = "2");
        Assert.Throws<InvalidOperationException>(() => _headers.Add("x-other", "2"));
        Assert.Throws<InvalidOperationException>(() => _headers.Remove("x-name"));
        Assert.Throws<InvalidOperationException>(_headers.Clear);
        Assert.Throws<InvalidOperationException>(() => _headers.ContentLength = 1);
        Assert.Equal("1", _headers["x-name"]);
    }

    [Fact]
    public void Reset_WasReadOnly_IsAsNew()
    {
        _headers["x-name"] = "1";
        _headers.ContentLength = 1;
        _headers.SetReadOnly();

        _headers.Reset();

        Assert.False(_headers.IsReadOnly);
        Assert.Empty(_headers.Keys);
        Assert.Null(_headers.ContentLength);
        _headers["x-name"] = "2";
    }

    [Fact]
    public void Remove_ItemWithAnotherValue_LeavesIt()
    {
        _headers["x-name"] = "1";

        Assert.False(_headers.Remove(new KeyValuePair<string, StringValues>("x-name", "2")));
        Assert.True(_headers.Remove(new KeyValuePair<string, StringValues>("x-name", "1")));
        Assert.Empty(_headers.Keys);
    }

    private static ResponseHeaders Create(Func<string, Encoding?>? selector = null, bool areTrailers = false) =>
        new(selector ?? new KestrelServerOptions().ResponseHeaderEncodingSelector, areTrailers);
}
