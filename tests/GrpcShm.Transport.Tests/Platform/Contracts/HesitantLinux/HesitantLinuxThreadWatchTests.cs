using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.HesitantLinux;

public sealed class HesitantLinuxThreadWatchTests() : ThreadWatchContract(new HesitantMake(new LinuxMake()));
