namespace GrpcShm.Transport.Calls;

/// <summary>
/// Uses a call stream: the client's call, the server's call, or whoever else. It is told what comes for the call, and
/// says what that means.
/// </summary>
/// <remarks>
/// Called without any lock, where a method does not say otherwise by the thread that receives: no method may wait, or
/// run foreign code.
/// </remarks>
internal interface ICallStreamOwner
{
    /// <summary>
    /// Whether the peer has to send its data at a rate. By the heartbeat, under the gate of the call.
    /// </summary>
    bool IsInputTimed { get; }

    /// <summary>
    /// A block of headers has come, in full. Reads all of it, or throws, which resets this call and no other.
    /// </summary>
    void OnHeaders(ref HeaderReader headers);

    /// <summary>
    /// A block of trailers has come, in full. Reads all of it, or throws, which resets this call and no other.
    /// </summary>
    void OnTrailers(ref HeaderReader trailers);

    /// <summary>
    /// Data is about to be added to the input, behind the blocks of its message and before its reader can see it.
    /// Throws if the call may not have that data, which resets this call and no other.
    /// </summary>
    /// <param name="count">How many bytes, or 0.</param>
    /// <param name="hasEnded">Whether it was the last data.</param>
    void OnData(int count, bool hasEnded);

    /// <summary>
    /// This side is about to reset the call because of what came for it. <see cref="OnFailed"/> follows.
    /// </summary>
    void OnRefused(CallError error, Exception exception);

    /// <summary>All parts of a message have been handled, and the headers are there.</summary>
    /// <param name="hasEnded">Whether it was the last message.</param>
    void OnReceived(bool hasEnded);

    /// <summary>
    /// The peer has reset the call, this side has because of what came for it, or the connection is lost. Comes once,
    /// maybe before the headers. On a server it may come after the end was received, on a client not: there all that
    /// was wanted has come.
    /// </summary>
    /// <param name="error">Why.</param>
    /// <param name="exception">The same for the reader.</param>
    /// <param name="byPeer">Whether the peer will send no more.</param>
    /// <remarks>
    /// Reader and writer have to be told of it: by <see cref="CallStream.FailBodies"/>, or by
    /// <see cref="CallStream.NoteFailure"/> and then <see cref="CallStream.TellFailure"/> where somebody else has to
    /// know first.
    /// </remarks>
    void OnFailed(CallError error, Exception exception, bool byPeer);

    /// <summary>
    /// The reader is about to be shown data, or why there is none. Throws if it is more than it may be. By the reader,
    /// under the gate of the input.
    /// </summary>
    /// <param name="total">How many bytes there are of it by now, those consumed before included.</param>
    void OnRead(long total);

    /// <summary>
    /// The peer has let the call wait for too long. By the heartbeat; by now the stream may carry another call. What is
    /// overdue is ended by this, but for a block, which the thread that receives is told of.
    /// </summary>
    void OnOverdue(Overdue overdue, uint id);

    /// <summary>
    /// The call has left the connection: nothing more is sent or received, and the stream may carry another call once
    /// its own users are done. By whichever thread has ended the call's last direction.
    /// </summary>
    /// <param name="byReceiver">
    /// Whether it was the thread that receives which found that both sides have ended, so that it has no further use
    /// for the call.
    /// </param>
    void OnLeft(bool byReceiver);
}
