using System.Text;

namespace GrpcShm.Transport.Calls;

/// <summary>A name and a value that one side has sent once and refers to by a number from then on.</summary>
internal sealed class HeaderPair(int name, string value)
{
    /// <summary>The name's number in <see cref="HeaderNames"/>.</summary>
    public int Name => name;

    public string Value => value;

    /// <summary>How many bytes of name and value count against limits.</summary>
    public int Size { get; } = HeaderNames.NameOf(name).Length + Encoding.UTF8.GetByteCount(value);

    /// <summary>The reason why no call can have the value, if something is wrong with it.</summary>
    public string? Flaw { get; init; }

    /// <summary>An object that the receiver keeps with the pair, for example how calls of this path run.</summary>
    public object? Tag { get; set; }
}
