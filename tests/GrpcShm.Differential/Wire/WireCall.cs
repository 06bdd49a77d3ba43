using System.Globalization;

namespace GrpcShm.Differential.Wire;

/// <summary>The outcome of a call, as its sender sees it.</summary>
internal sealed class WireCall(uint id)
{
    public uint Id => id;

    public int? Status { get; set; }

    /// <summary>The code of the peer's reset, if it came before the end.</summary>
    public uint? ResetCode { get; set; }

    public bool HasEnded { get; set; }

    /// <summary>The reason why the connection was lost before the end of the call, if it was.</summary>
    public string? LostBy { get; set; }

    public bool IsLost => LostBy is not null;

    public bool HasSentEnd { get; set; }

    public bool IsOver => HasEnded || ResetCode is not null || IsLost;

    public bool IsRefusal => IsLost || ResetCode is not null || Status is >= 400 and < 500;

    public override string ToString() =>
        IsLost ? "the connection ended"
        : ResetCode is { } code ? string.Create(CultureInfo.InvariantCulture, $"reset {code}")
        : HasEnded ? string.Create(CultureInfo.InvariantCulture, $"status {Status}")
        : "no answer";
}
