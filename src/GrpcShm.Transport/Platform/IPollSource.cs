namespace GrpcShm.Transport.Platform;

/// <summary>
/// Something that a <see cref="Poller"/> of the same make watches. Each make decides how the poller learns that
/// something has happened: a make on readiness asks the system about many sources at once; in a make on completion each
/// source tells the poller when an operation that the source keeps under way has ended.
/// </summary>
/// <remarks>
/// All makes promise the same. A source is reported if there is something to take when it is added. From then on it is
/// reported when there is something that its owner did not find at its last look. Owners therefore take everything
/// before they wait. A source may also be reported when there is nothing to take.
/// </remarks>
internal interface IPollSource;
