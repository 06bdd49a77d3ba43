namespace GrpcShm.Transport.Calls;

/// <summary>
/// Tells the reader and the writer of a call that it has failed, at once or after somebody else who has to know first.
/// </summary>
internal sealed class CallFailure(CallLife life, FailureNotice notice, SendingHalf sending, ReceivedBody input)
{
    /// <summary>Tells the reader and the writer that the call has failed.</summary>
    public void Tell(Exception exception, bool byPeer)
    {
        input.Fail(exception, byPeer);
        TellUnlessNoted();
    }

    /// <summary>
    /// Settles what the reader will be told, and keeps it and the writer waiting until <see cref="TellNoted"/>, which
    /// one of those who note a failure has to call. Of several the first settles the reason; whoever comes when it has
    /// been told changes nothing but the peer's part of it. By one who keeps the stream from carrying another call.
    /// </summary>
    public void Note(Exception exception, bool byPeer)
    {
        lock (life.Gate)
        {
            notice.Note();
        }

        input.Settle(exception, byPeer);
    }

    /// <summary>
    /// Tells the reader and the writer what has been noted. Any thread, by one who keeps the stream from carrying
    /// another call.
    /// </summary>
    public void TellNoted()
    {
        input.ShowFailure();
        lock (life.Gate)
        {
            notice.Tell();
            sending.Flush.Wake();
        }
    }

    /// <summary>
    /// Tells the writer that nothing goes any more, unless somebody has noted the failure, and tells it later.
    /// </summary>
    public void TellUnlessNoted()
    {
        lock (life.Gate)
        {
            if (notice.TryTell())
            {
                sending.Flush.Wake();
            }
        }
    }
}
