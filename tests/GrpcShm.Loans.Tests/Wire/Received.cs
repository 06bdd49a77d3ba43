using System.Buffers;
using Grpc.Core;

namespace GrpcShm.Loans.Tests.Wire;

/// <summary>A message that has been received.</summary>
internal sealed class Received(ReadOnlySequence<byte> bytes) : DeserializationContext
{
    public override int PayloadLength => (int)bytes.Length;

    public override byte[] PayloadAsNewBuffer() => bytes.ToArray();

    public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => bytes;
}
