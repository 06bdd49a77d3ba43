using System.Text;
using GrpcShm.AspNetCore.Direct;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace GrpcShm.AspNetCore.Tests.Direct;

/// <summary>Values of headers that have encodings in the server's options.</summary>
public sealed class RequestDecodingTests
{
    private const string Name = "x-text";

    [Fact]
    public void Decode_NoSelector_LeavesWhatCame()
    {
        var headers = new HeaderDictionary { [Name] = "ä" };

        RequestDecoding.Decode(headers, new KestrelServerOptions());

        Assert.Equal("ä", headers[Name]);
    }

    [Fact]
    public void Decode_EncodingOfOneName_IsUsedForThatAlone()
    {
        var headers = new HeaderDictionary { [Name] = "ä", ["x-other"] = "ä" };

        RequestDecoding.Decode(headers, Select(Encoding.Latin1));

        // The letter has two bytes in UTF-8, each of which is a character in Latin-1.
        Assert.Equal("\u00c3\u00a4", headers[Name]);
        Assert.Equal("ä", headers["x-other"]);
    }

    [Fact]
    public void Decode_LineBreakComesOfIt_IsRefused()
    {
        var headers = new HeaderDictionary { [Name] = "a" };

        Assert.Throws<MalformedCallException>(() => RequestDecoding.Decode(headers, Select(new LineBreaks())));
    }

    private static KestrelServerOptions Select(Encoding encoding) =>
        new() { RequestHeaderEncodingSelector = name => name == Name ? encoding : null };

    /// <summary>An encoding in which all bytes are a line break.</summary>
    private sealed class LineBreaks : ASCIIEncoding
    {
        public override string GetString(byte[] bytes) => "\n";
    }
}
