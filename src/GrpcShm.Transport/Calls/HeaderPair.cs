using System.Text;

namespace GrpcShm.Transport.Calls;

/// <summary>A name and a value that one side has sent once and refers to by a number from then on.</summary>
internal sealed class HeaderPair(int name, string value)
{
    /// <summary>The name's number in <see cref="HeaderNames"/>.</summary>
    public int Name => name;

    public string Value => value;

    /// <summary>The bytes of name and value, as they count against limits.</summary>
    public int Size { get; } = HeaderNames.NameOf(name).Length + Encoding.UTF8.GetByteCount(value);

    /// <summary>What is wrong with the value, so that no call can have it.</summary>
    public string? Flaw { get; init; }

    /// <summary>What the receiver keeps with it: how calls of this path run, say.</summary>
    public object? Tag { get; set; }
}
