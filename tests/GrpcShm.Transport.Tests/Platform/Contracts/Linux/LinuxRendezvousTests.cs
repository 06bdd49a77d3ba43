using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.Linux;

public sealed class LinuxRendezvousTests() : RendezvousContract(new LinuxMake());
