using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace GrpcShm.Transport.Calls;

/// <summary>A context of deserialization whose messages lie in private memory that can be handed over.</summary>
internal interface IPayloadLender
{
    /// <summary>Hands over the memory of the message, if it is whole and private.</summary>
    /// <param name="part">The part of the message that is to stay valid.</param>
    /// <param name="owner">Gives the memory back. If it is dropped, the memory is left to the garbage
    /// collector.</param>
    /// <param name="size">The size of that memory in bytes, of which the part may be a little.</param>
    /// <returns>False if the part has to be copied.</returns>
    bool TryHandOver(in ReadOnlySequence<byte> part, [NotNullWhen(true)] out IDisposable? owner, out int size);
}
