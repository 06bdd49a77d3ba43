namespace GrpcShm.Transport.Calls;

/// <summary>
/// For how long a call has waited for its peer to send data, and to take data. By the heartbeat, under the gate of the
/// call; made as new with the call. Of interest where there are time limits, on a server.
/// </summary>
internal struct PeerWaits
{
    private long _readTime;
    private SendWatch _watch;

    /// <summary>
    /// A reader has waited since the heartbeat before. As in Kestrel, the whole time between two heartbeats counts if a
    /// reader has waited in it.
    /// </summary>
    /// <param name="elapsed">The time between the heartbeats, in ticks.</param>
    /// <param name="received">How much data has come, in all.</param>
    /// <param name="rate">How fast it has to come.</param>
    /// <returns>Whether it comes too slowly.</returns>
    public bool IsDataOverdue(long elapsed, long received, in DataRate rate)
    {
        _readTime += elapsed;
        return _readTime > rate.GracePeriod.Ticks
            && received < rate.BytesPerSecond * _readTime / TimeSpan.TicksPerSecond;
    }

    /// <summary>Looks whether data that waits for credit is taken as fast as it has to be.</summary>
    /// <param name="clock">The time.</param>
    /// <param name="waits">Whether there is data that waits for credit.</param>
    /// <param name="sent">How much data has been sent, in all.</param>
    /// <param name="rate">How fast it has to be taken.</param>
    public bool IsCreditOverdue(long clock, bool waits, long sent, in DataRate rate) =>
        _watch.IsOverdue(clock, waits, sent, Math.Min(sent, CallSettings.Window), rate);
}
