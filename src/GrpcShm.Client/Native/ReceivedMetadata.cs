using Grpc.Core;

namespace GrpcShm.Client.Native;

/// <summary>
/// The headers or trailers of a response that are the application's. They are made metadata when somebody asks for
/// them: few do, and only they learn that a field makes no sense.
/// </summary>
internal sealed class ReceivedMetadata
{
    private readonly List<(string Name, string Value)> _fields = [];
    private Metadata? _metadata;

    public ReceivedMetadata()
    {
    }

    /// <param name="metadata">The metadata of a call that was made another way.</param>
    public ReceivedMetadata(Metadata metadata) => _metadata = metadata;

    /// <summary>True if a field is gRPC's or HTTP's own, so that the application does not see it.</summary>
    public static bool IsHidden(string name) =>
        name is "grpc-status" or "grpc-message" or "grpc-encoding" or "grpc-accept-encoding" || IsOfContent(name);

    /// <summary>
    /// True if .NET's HTTP keeps a field with the content of a message, and not with its headers, so that grpc-dotnet
    /// neither sends nor shows it.
    /// </summary>
    public static bool IsOfContent(string name) =>
        name is "allow" or "expires" or "last-modified" || name.StartsWith("content-", StringComparison.Ordinal);

    public void Add(string name, string value) => _fields.Add((name, value));

    /// <summary>Makes the metadata, once. Any thread.</summary>
    /// <exception cref="FormatException">A field that is said to be binary is not Base64.</exception>
    /// <exception cref="ArgumentException">A field has a name that gRPC does not allow.</exception>
    public Metadata ToMetadata()
    {
        if (Volatile.Read(ref _metadata) is { } known)
        {
            return known;
        }

        var metadata = new Metadata();
        foreach (var (name, value) in _fields)
        {
            if (name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.Ordinal))
            {
                // The padding may be missing.
                metadata.Add(name, Convert.FromBase64String(
                    (value.Length % 4) switch { 2 => value + "==", 3 => value + "=", _ => value }));
            }
            else
            {
                metadata.Add(name, value);
            }
        }

        return Interlocked.CompareExchange(ref _metadata, metadata, null) ?? metadata;
    }
}
