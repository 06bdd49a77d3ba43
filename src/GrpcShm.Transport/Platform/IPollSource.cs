namespace GrpcShm.Transport.Platform;

/// <summary>
/// What a <see cref="Poller"/> of the same make watches. How the poller learns that something has happened is between
/// the two: a make on readiness asks the system for many sources at once, a make on completion has each source tell the
/// poller when an operation that it keeps under way has ended.
/// </summary>
/// <remarks>
/// Both promise the same. A source that is added while there is something to be had is reported. From then on it is
/// reported when there is something that its owner, when it looked last, did not find. Owners therefore take all that
/// there is before they wait, and bear to be told of nothing.
/// </remarks>
internal interface IPollSource;
