using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using GrpcShm.Loans.Memory;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Loans;

/// <summary>
/// A message of protobuf and its payload, which is one <c>bytes</c> field of the message on the wire and lies in memory
/// that is lent. The memory goes back to its <see cref="LoanPool"/> when the loan is disposed of.
/// <para>A receiver gets such an object from its call, a sender makes one with <see cref="Loaned"/>. On a server with
/// <c>AddLoans</c>, the end of the call gives back what its handler has received and returned. Everybody else disposes
/// of what they have received or made.</para>
/// </summary>
/// <typeparam name="T">The type of the message.</typeparam>
/// <remarks>
/// Any thread may dispose of it. A loan may be sent several times, also at once.
/// <para><c>_state</c> is changed by compare-and-swap: the call's end, <see cref="Keep"/> and <see cref="Dispose"/> may
/// come at once, and the first to end the loan ends it alone.</para>
/// </remarks>
public sealed class Loaned<T> : IDisposable, ICallBound
    where T : class, IMessage<T>
{
    private const int Open = 0;
    private const int Kept = 1;
    private const int EndedByCall = 2;
    private const int Disposed = 3;

    private readonly PayloadMemory _memory;
    private readonly bool _isWritable;
    private int _state;

    internal Loaned(T message, PayloadMemory memory, bool isWritable = false)
    {
        Message = message;
        _memory = memory;
        _isWritable = isWritable;
    }

    /// <summary>
    /// The message without its payload. It stays valid when the loan has ended. Its field of the payload is empty, and
    /// must stay so.
    /// </summary>
    public T Message { get; }

    /// <summary>
    /// The payload. It is valid until the loan ends: whoever needs it longer copies it, or calls <see cref="Keep"/>.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The loan has ended.</exception>
    public ReadOnlySequence<byte> Payload
    {
        get
        {
            ThrowIfOver();
            return _memory.Content;
        }
    }

    /// <summary>The length of the payload in bytes.</summary>
    public long PayloadLength => _memory.Content.Length;

    /// <summary>
    /// The payload of a loan that was made with a length, for its sender to fill. It is in one piece. At first it has
    /// any content, such as that of another payload, so fill all of it. Do not write while the loan is being sent.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The loan has ended.</exception>
    /// <exception cref="InvalidOperationException">The loan was not made with a length.</exception>
    public Memory<byte> Memory
    {
        get
        {
            ThrowIfOver();
            return _isWritable
                ? _memory.Writable
                : throw new InvalidOperationException(
                    "Only a loan that was made with a length can be filled. This one has its payload already.");
        }
    }

    bool ICallBound.IsOver => Volatile.Read(ref _state) != Open;

    /// <summary>
    /// Takes the loan over from its call: the call's end does not give it back any more, so the caller has to dispose
    /// of it. It has no effect on a loan that belongs to no call.
    /// </summary>
    /// <returns>This object.</returns>
    /// <exception cref="ObjectDisposedException">The loan has ended.</exception>
    public Loaned<T> Keep()
    {
        if (Interlocked.CompareExchange(ref _state, Kept, Open) is not (Open or Kept))
        {
            ThrowIfOver();
        }

        return this;
    }

    /// <summary>
    /// Ends the loan. If the payload is being sent at this moment, its memory is given back when it has been. A second
    /// call has no effect.
    /// </summary>
    public void Dispose()
    {
        switch (Interlocked.Exchange(ref _state, Disposed))
        {
            case Open or Kept:
                _memory.Leave();
                break;
            case Disposed:
                _memory.TellTwice();
                break;
        }
    }

    void ICallBound.EndWithCall()
    {
        if (Interlocked.CompareExchange(ref _state, EndedByCall, Open) == Open)
        {
            _memory.Leave();
        }
    }

    /// <summary>
    /// Keeps the memory while it is being sent. Whoever calls it has to call <see cref="EndSending"/>.
    /// </summary>
    /// <returns>The payload.</returns>
    /// <exception cref="ObjectDisposedException">The loan has ended.</exception>
    internal ReadOnlySequence<byte> BeginSending()
    {
        ThrowIfOver();
        if (!_memory.TryEnter())
        {
            // Disposed of at this moment.
            ThrowIfOver();
        }

        return _memory.Content;
    }

    internal void EndSending() => _memory.Leave();

    /// <summary>Keeps the memory until it has been sent from where it lies. While it is being sent.</summary>
    /// <param name="memory">The memory, whose use the caller has to end.</param>
    /// <returns>False if the payload has to be copied.</returns>
    internal bool TryShare([NotNullWhen(true)] out ILentMemory? memory)
    {
        memory = _memory.CanBeShared && _memory.TryEnter() ? _memory : null;
        return memory is not null;
    }

    private void ThrowIfOver()
    {
        switch (Volatile.Read(ref _state))
        {
            case EndedByCall:
                throw new ObjectDisposedException(
                    nameof(Loaned<>),
                    "The loan has ended with its call. Whoever needs it longer calls Keep() before.");
            case Disposed:
                throw new ObjectDisposedException(nameof(Loaned<>), "The loan was disposed of.");
        }
    }
}
