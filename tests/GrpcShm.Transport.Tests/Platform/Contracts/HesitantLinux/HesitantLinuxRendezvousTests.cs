using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.HesitantLinux;

public sealed class HesitantLinuxRendezvousTests() : RendezvousContract(new HesitantMake(new LinuxMake()));
