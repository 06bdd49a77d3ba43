using Google.Protobuf;

namespace GrpcShm.EventBus.Tests.Wire;

/// <summary>Encodes fields one by one, so that a test can put them together as no encoder does.</summary>
internal static class EncodedFields
{
    /// <summary>Encodes a field whose value begins with its length.</summary>
    public static byte[] Field(int number, byte[] content)
    {
        using var stream = new MemoryStream();
        using var output = new CodedOutputStream(stream);
        output.WriteTag(number, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(content));
        output.Flush();
        return stream.ToArray();
    }
}
