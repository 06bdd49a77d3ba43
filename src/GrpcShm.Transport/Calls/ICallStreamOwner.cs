namespace GrpcShm.Transport.Calls;

/// <summary>
/// The user of a call stream: the client's call, the server's call, or another. The stream tells its owner which parts
/// of the call have come.
/// </summary>
/// <remarks>
/// Called without any lock, and by the thread that receives, unless a method says otherwise. No method may wait, or run
/// foreign code.
/// </remarks>
internal interface ICallStreamOwner
{
    /// <summary>
    /// Whether the peer has to send its data at a rate. By the heartbeat, under the gate of the call.
    /// </summary>
    bool IsInputTimed { get; }

    /// <summary>
    /// Reads a block of headers that has come in full. Reads all of it, or throws, which resets this call and no other.
    /// </summary>
    void OnHeaders(ref HeaderReader headers);

    /// <summary>
    /// Reads a block of trailers that has come in full. Reads all of it, or throws, which resets this call and no
    /// other.
    /// </summary>
    void OnTrailers(ref HeaderReader trailers);

    /// <summary>
    /// Called before data is added to the input, behind the blocks of its message. Throws if the call may not have that
    /// data, which resets this call and no other.
    /// </summary>
    /// <param name="count">The number of bytes, or 0.</param>
    /// <param name="hasEnded">Whether it was the last data.</param>
    void OnData(int count, bool hasEnded);

    /// <summary>
    /// Called before this side resets the call because of a frame that came for it. <see cref="OnFailed"/> follows.
    /// </summary>
    void OnRefused(CallError error, Exception exception);

    /// <summary>Called when all parts of a message have been handled, and the headers are there.</summary>
    /// <param name="hasEnded">Whether it was the last message.</param>
    void OnReceived(bool hasEnded);

    /// <summary>
    /// Called when the peer has reset the call, when this side has reset it because of a frame that came for it, or
    /// when the connection is lost. Called once, maybe before the headers. On a server it may be called after the end
    /// was received; on a client not, since a client then has everything that it wanted.
    /// </summary>
    /// <param name="error">The reason.</param>
    /// <param name="exception">The reason for the reader.</param>
    /// <param name="byPeer">Whether the peer will send no more.</param>
    /// <remarks>
    /// The owner has to tell reader and writer: by <see cref="CallStream.FailBodies"/>, or, if others have to know
    /// first, by <see cref="CallStream.NoteFailure"/> and then <see cref="CallStream.TellFailure"/>.
    /// </remarks>
    void OnFailed(CallError error, Exception exception, bool byPeer);

    /// <summary>
    /// Called before the reader is shown data, or the reason why there is none. Throws if there is too much data. By
    /// the reader, under the gate of the input.
    /// </summary>
    /// <param name="total">How many bytes of data have come by now, with those that were consumed before.</param>
    void OnRead(long total);

    /// <summary>
    /// Called when the peer has let the call wait for too long. By the heartbeat; the stream may carry another call
    /// meanwhile. The owner ends the call, but not for an overdue block, of which the thread that receives is told.
    /// </summary>
    void OnOverdue(Overdue overdue, uint id);

    /// <summary>
    /// Called when the call has left the connection: nothing more is sent or received, and the stream may carry another
    /// call once its own users are done. By the thread that has ended the call's last direction.
    /// </summary>
    /// <param name="byReceiver">
    /// Whether the thread that receives found that both sides have ended, so that it does not use the call any more.
    /// </param>
    void OnLeft(bool byReceiver);
}
