using System.Globalization;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Http;

/// <summary>Checks the header fields of a response.</summary>
internal static class ResponseFields
{
    /// <summary>Reads a status. An interim status is refused: no call can end with it.</summary>
    public static bool TryParseStatus(string value, out int status) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out status)
        && status is >= 200 and <= 999
        && value.Length == 3;

    /// <summary>Makes the exception for a field that a response cannot have.</summary>
    public static MalformedCallException Refuse(string name, string value) => new(
        CallError.Protocol,
        $"The server answered with '{name}: {PeerText.Clean(value)}', which a response cannot have. Do both sides use "
        + "the same version?");

    /// <summary>Makes the exception for a response without a status.</summary>
    public static MalformedCallException RefuseWithoutStatus() =>
        new(CallError.Protocol, "The server answered without a status.");
}
